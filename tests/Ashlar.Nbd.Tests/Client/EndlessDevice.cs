using Ashlar.Blocks;

namespace Ashlar.Nbd.Tests.Client;

/// <summary>A device larger than memory, which stays empty.</summary>
sealed class EndlessDevice(long sizeBytes) : IBlockDevice
{
    public string Name => "endless";

    public BlockGeometry Geometry { get; } = new(4096, sizeBytes / 4096);

    public bool IsReadOnly => false;

    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        destination.Span.Clear();
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default) =>
        ValueTask.CompletedTask;

    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default) =>
        ValueTask.CompletedTask;

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents)
    {
        extents[0] = new(BlockExtentKind.Hole, blockCount);
        return 1;
    }

    public DeviceStatistics GetStatistics() => default;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
