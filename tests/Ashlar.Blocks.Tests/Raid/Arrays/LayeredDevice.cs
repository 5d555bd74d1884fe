using Ashlar.Blocks.Raid;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>What is written to it stays in memory; the device below is only read.</summary>
sealed class LayeredDevice(IBlockDevice below) : IBlockDevice
{
    readonly Dictionary<long, byte[]> written = [];

    public string Name => below.Name;

    public BlockGeometry Geometry => below.Geometry;

    public bool IsReadOnly => false;

    public async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        await below.ReadAsync(start, destination, cancellationToken);
        var block = Geometry.BlockSizeBytes;
        lock (written)
        {
            if (written.Count == 0) return;
            for (var i = 0; i < destination.Length / block; i++)
                if (written.TryGetValue(start.Value + i, out var content)) content.CopyTo(destination[(i * block)..]);
        }
    }

    public ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default)
    {
        var block = Geometry.BlockSizeBytes;
        lock (written)
            for (var i = 0; i < source.Length / block; i++) written[start.Value + i] = source.Slice(i * block, block).ToArray();
        return default;
    }

    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default) =>
        WriteAsync(start, new byte[blockCount * Geometry.BlockSizeBytes], WriteOptions.None, cancellationToken);

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) =>
        WriteZeroesAsync(start, blockCount, ZeroOptions.None, cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => default;

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) => below.DescribeExtents(start, blockCount, extents);

    public DeviceStatistics GetStatistics() => below.GetStatistics();

    public ValueTask DisposeAsync() => default;
}
