using Ashlar.Blocks.Devices;

namespace Ashlar.Blocks.Tests.Front;

/// <summary>
/// A memory device that lets other tasks run in the middle of each request, and notes the order in which changes begin and
/// whether two that overlap are ever under way at once.
/// </summary>
sealed class WatchingDevice(MemoryDevice inner) : IBlockDevice
{
    readonly Lock gate = new();
    readonly List<(long Start, long End)> changing = [];
    readonly List<long> begun = [];
    int underWay;

    public string Name => inner.Name;

    public BlockGeometry Geometry => inner.Geometry;

    public bool IsReadOnly => false;

    /// <summary>Requests under way.</summary>
    public int UnderWay => Volatile.Read(ref underWay);

    /// <summary>Changes that met another one in a block.</summary>
    public int Collisions { get; private set; }

    /// <summary>First blocks of all changes, in the order in which they began.</summary>
    public IReadOnlyList<long> Begun
    {
        get
        {
            lock (gate) return [.. begun];
        }
    }

    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        RunAsync(() => inner.ReadAsync(start, destination, cancellationToken));

    public ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default) =>
        ChangeAsync(
            start.Value, source.Length / Geometry.BlockSizeBytes, () => inner.WriteAsync(start, source, options, cancellationToken));

    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default) =>
        ChangeAsync(start.Value, blockCount, () => inner.WriteZeroesAsync(start, blockCount, options, cancellationToken));

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) =>
        ChangeAsync(start.Value, blockCount, () => inner.TrimAsync(start, blockCount, cancellationToken));

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) =>
        inner.DescribeExtents(start, blockCount, extents);

    public DeviceStatistics GetStatistics() => inner.GetStatistics();

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    async ValueTask ChangeAsync(long start, long count, Func<ValueTask> change)
    {
        var range = (Start: start, End: start + count);
        lock (gate)
        {
            if (changing.Exists(other => other.Start < range.End && range.Start < other.End)) Collisions++;
            changing.Add(range);
            begun.Add(start);
        }
        await RunAsync(change);
        lock (gate) changing.Remove(range);
    }

    async ValueTask RunAsync(Func<ValueTask> request)
    {
        Interlocked.Increment(ref underWay);
        await Task.Yield();
        await request();
        await Task.Yield();
        Interlocked.Decrement(ref underWay);
    }
}
