using Ashlar.Blocks.Devices;

namespace Ashlar.Blocks.Tests.Driver;

/// <summary>A memory device whose reads, writes or trims wait, while they are held, until the test lets them go.</summary>
sealed class HeldDevice(MemoryDevice inner) : IBlockDevice
{
    TaskCompletionSource? reads;
    TaskCompletionSource? writes;
    TaskCompletionSource? trims;

    public int ReadsBegun { get; private set; }

    public int WritesBegun { get; private set; }

    public string Name => inner.Name;

    public BlockGeometry Geometry => inner.Geometry;

    public bool IsReadOnly => false;

    public void HoldReads() => reads = new TaskCompletionSource();

    public void HoldWrites() => writes = new TaskCompletionSource();

    public void HoldTrims() => trims = new TaskCompletionSource();

    public void Release()
    {
        var held = new[] { reads, writes, trims };
        reads = writes = trims = null;
        foreach (var each in held) each?.SetResult();
    }

    public async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        ReadsBegun++;
        await inner.ReadAsync(start, destination, cancellationToken);
        if (reads is { } held) await held.Task;
    }

    public async ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default)
    {
        WritesBegun++;
        if (writes is { } held) await held.Task;
        await inner.WriteAsync(start, source, options, cancellationToken);
    }

    public ValueTask WriteZeroesAsync(
        Lba start,
        long blockCount,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default) => inner.WriteZeroesAsync(start, blockCount, options, cancellationToken);

    public async ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        if (trims is { } held) await held.Task;
        await inner.TrimAsync(start, blockCount, cancellationToken);
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) =>
        inner.DescribeExtents(start, blockCount, extents);

    public DeviceStatistics GetStatistics() => inner.GetStatistics();

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
