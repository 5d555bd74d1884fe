using Ashlar.Blocks.Devices;

namespace Ashlar.Blocks.Tests.Driver;

/// <summary>A memory device that lets other tasks run before and after it reads or writes.</summary>
sealed class YieldingDevice(MemoryDevice inner) : IBlockDevice
{
    public string Name => inner.Name;

    public BlockGeometry Geometry => inner.Geometry;

    public bool IsReadOnly => false;

    public async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        await inner.ReadAsync(start, destination, cancellationToken);
        await Task.Yield();
    }

    public async ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        await inner.WriteAsync(start, source, options, cancellationToken);
        await Task.Yield();
    }

    public async ValueTask WriteZeroesAsync(
        Lba start,
        long blockCount,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        await inner.WriteZeroesAsync(start, blockCount, options, cancellationToken);
    }

    public async ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        await inner.TrimAsync(start, blockCount, cancellationToken);
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) =>
        inner.DescribeExtents(start, blockCount, extents);

    public DeviceStatistics GetStatistics() => inner.GetStatistics();

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
