namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>Tells what a set does with a member beside reading and writing it; a read can be held up.</summary>
sealed class WatchedDevice(IBlockDevice inner) : IReservableDevice, ICachingDevice
{
    readonly bool[] hasSpace = new bool[inner.Geometry.BlockCount];
    readonly bool[] isDropped = new bool[inner.Geometry.BlockCount];

    public string Name => inner.Name;

    public BlockGeometry Geometry => inner.Geometry;

    public bool IsReadOnly => inner.IsReadOnly;

    public bool IsDisposed { get; private set; }

    /// <summary>Reads wait for it.</summary>
    public TaskCompletionSource? Held { get; set; }

    public long? FreeSpaceBelowBytes => 1 << 30;

    public TimeSpan FlushInterval { get; set; }

    public bool IsFlushShort => false;

    /// <summary>Blocks of a range that have no space.</summary>
    public int CountHoles(long first, long count) => hasSpace.AsSpan((int)first, (int)count).Count(false);

    /// <summary>Blocks of a range that are not known to be read from the medium.</summary>
    public int CountKept(long first, long count) => isDropped.AsSpan((int)first, (int)count).Count(false);

    /// <summary>It is opened once more.</summary>
    public void Revive() => IsDisposed = false;

    public void ForgetDropped() => isDropped.AsSpan().Clear();

    public async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        Check();
        if (Held is { } held) await held.Task.WaitAsync(cancellationToken);
        await inner.ReadAsync(start, destination, cancellationToken);
    }

    public ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default)
    {
        Check();
        Note(start, source.Length / Geometry.BlockSizeBytes, true);
        return inner.WriteAsync(start, source, options, cancellationToken);
    }

    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default)
    {
        Check();
        Note(start, blockCount, (options & ZeroOptions.KeepAllocated) != ZeroOptions.None);
        return inner.WriteZeroesAsync(start, blockCount, options, cancellationToken);
    }

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        Check();
        Note(start, blockCount, false);
        return inner.TrimAsync(start, blockCount, cancellationToken);
    }

    public ValueTask ReserveAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        Check();
        Note(start, blockCount, true);
        return ValueTask.CompletedTask;
    }

    public void DropCached(Lba start, long blockCount)
    {
        Check();
        isDropped.AsSpan((int)start.Value, (int)blockCount).Fill(true);
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        Check();
        return inner.FlushAsync(cancellationToken);
    }

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) => inner.DescribeExtents(start, blockCount, extents);

    public DeviceStatistics GetStatistics() => inner.GetStatistics();

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask; // What it held can be looked at.
    }

    void Check() => ObjectDisposedException.ThrowIf(IsDisposed, this);

    void Note(Lba start, long blockCount, bool has) => hasSpace.AsSpan((int)start.Value, (int)blockCount).Fill(has);
}
