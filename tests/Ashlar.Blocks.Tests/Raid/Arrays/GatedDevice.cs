namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>A device whose writes can be held up.</summary>
sealed class GatedDevice(IBlockDevice inner) : IBlockDevice
{
    readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile bool isClosed;

    public string Name => inner.Name;

    public BlockGeometry Geometry => inner.Geometry;

    public bool IsReadOnly => inner.IsReadOnly;

    /// <summary>Ends when a write waits.</summary>
    public Task Reached => reached.Task.WaitAsync(TimeSpan.FromSeconds(30));

    public void Close() => isClosed = true;

    public void Open() => open.SetResult();

    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        inner.ReadAsync(start, destination, cancellationToken);

    public async ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default)
    {
        if (isClosed)
        {
            reached.TrySetResult();
            await open.Task;
        }

        await inner.WriteAsync(start, source, options, cancellationToken);
    }

    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default) =>
        inner.WriteZeroesAsync(start, blockCount, options, cancellationToken);

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) =>
        inner.TrimAsync(start, blockCount, cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) => inner.DescribeExtents(start, blockCount, extents);

    public DeviceStatistics GetStatistics() => inner.GetStatistics();

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
