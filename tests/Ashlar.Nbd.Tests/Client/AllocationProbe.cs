using Ashlar.Blocks;

namespace Ashlar.Nbd.Tests.Client;

/// <summary>
/// A device that does nothing but note what its caller's thread has allocated: devices are called on the connection's own
/// thread, so the difference between two calls is what serving the requests between them has cost.
/// </summary>
sealed class AllocationProbe(int warmCalls, int measuredCalls, long sizeBytes = 64 << 20) : IBlockDevice
{
    int calls;
    long before;
    long after;

    public string Name => "probe";

    public BlockGeometry Geometry => new(4096, sizeBytes / 4096);

    public bool IsReadOnly => false;

    public int Calls => Volatile.Read(ref calls);

    public long AllocatedBytes => after - before;

    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default) => Note();

    public ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default) => Note();

    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default) => Note();

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) => Note();

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => Note();

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents)
    {
        extents[0] = new(BlockExtentKind.Data, blockCount);
        return 1;
    }

    public DeviceStatistics GetStatistics() => default;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    ValueTask Note()
    {
        calls++;
        if (calls == warmCalls) before = GC.GetAllocatedBytesForCurrentThread();
        if (calls == warmCalls + measuredCalls) after = GC.GetAllocatedBytesForCurrentThread();
        return ValueTask.CompletedTask;
    }
}
