namespace Ashlar.Blocks.Tests.FileSystem;

/// <summary>Counts what a device is asked for, and fails as told.</summary>
sealed class CountingDevice(IBlockDevice below) : IBlockDevice
{
    public int Flushes { get; private set; }

    public int Writes { get; private set; }

    /// <summary>What flushes end with.</summary>
    public Exception? Failure { get; set; }

    /// <summary>What writes end with.</summary>
    public Exception? WriteFailure { get; set; }

    /// <summary>What reads end with.</summary>
    public Exception? ReadFailure { get; set; }

    public string Name => below.Name;

    public BlockGeometry Geometry => below.Geometry;

    public bool IsReadOnly => below.IsReadOnly;

    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        ReadFailure is { } failure ? ValueTask.FromException(failure) : below.ReadAsync(start, destination, cancellationToken);

    public ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default)
    {
        Writes++;
        return WriteFailure is { } failure ? ValueTask.FromException(failure) : below.WriteAsync(start, source, options, cancellationToken);
    }

    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default) =>
        WriteFailure is { } failure
            ? ValueTask.FromException(failure)
            : below.WriteZeroesAsync(start, blockCount, options, cancellationToken);

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) =>
        below.TrimAsync(start, blockCount, cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        Flushes++;
        return Failure is { } failure ? ValueTask.FromException(failure) : below.FlushAsync(cancellationToken);
    }

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) => below.DescribeExtents(start, blockCount, extents);

    public DeviceStatistics GetStatistics() => below.GetStatistics();

    public ValueTask DisposeAsync() => below.DisposeAsync();
}
