namespace Ashlar.Blocks.Devices;

/// <summary>Where a device was that has left a set: its blocks are there for nobody.</summary>
sealed class GapDevice(string set, BlockGeometry geometry) : IReservableDevice
{
    public string Name => $"{set}, where a device was taken out";

    public BlockGeometry Geometry => geometry;

    public bool IsReadOnly => false;

    public long? FreeSpaceBelowBytes => null;

    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default) => Refuse();

    public ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default) => Refuse();

    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default) => Refuse();

    public ValueTask ReserveAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) => Refuse();

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents)
    {
        if (blockCount == 0) return 0;
        extents[0] = new BlockExtent(BlockExtentKind.Hole, blockCount);
        return 1;
    }

    public DeviceStatistics GetStatistics() => default!;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    ValueTask Refuse() => ValueTask.FromException(new DeviceIOException(Name, "there are no blocks any more", isTransient: false));
}
