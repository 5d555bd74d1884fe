using Ashlar.Blocks;

namespace Ashlar.Nbd.Tests.Client;

/// <summary>A device in memory that a test can watch, hold up and make fail. One byte array, no states.</summary>
sealed class TestDevice(long sizeBytes = 64 << 20, int blockSizeBytes = 512) : IBlockDevice
{
    readonly byte[] bytes = new byte[sizeBytes];

    public string Name => "test";

    public BlockGeometry Geometry { get; set; } = new(blockSizeBytes, sizeBytes / blockSizeBytes);

    public bool IsReadOnly { get; init; }

    /// <summary>What it holds.</summary>
    public byte[] Bytes => bytes;

    /// <summary>Asked before each call: a task that is not completed holds it up, an exception fails it.</summary>
    public Func<TestCall, Task>? Before { get; set; }

    /// <summary>What DescribeExtents says; all data when null.</summary>
    public Func<long, BlockExtent>? ExtentAt { get; set; }

    /// <summary>Calls so far, oldest first.</summary>
    public IReadOnlyList<TestCall> Calls
    {
        get
        {
            lock (calls) return [.. calls];
        }
    }

    readonly List<TestCall> calls = [];

    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default) => Run(
        new("read", Offset(start), destination.Length),
        () => bytes.AsSpan((int)Offset(start), destination.Length).CopyTo(destination.Span),
        cancellationToken);

    public ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default) => Run(
        new("write", Offset(start), source.Length, options.ToString()),
        () => source.Span.CopyTo(bytes.AsSpan((int)Offset(start))),
        cancellationToken);

    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default) => Run(
        new("zero", Offset(start), blockCount * Geometry.BlockSizeBytes, options.ToString()),
        () => bytes.AsSpan((int)Offset(start), (int)(blockCount * Geometry.BlockSizeBytes)).Clear(),
        cancellationToken);

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) => Run(
        new("trim", Offset(start), blockCount * Geometry.BlockSizeBytes),
        () => bytes.AsSpan((int)Offset(start), (int)(blockCount * Geometry.BlockSizeBytes)).Clear(),
        cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) =>
        Run(new("flush", 0, 0), () => { }, cancellationToken);

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents)
    {
        var count = 0;
        var block = start.Value;
        var end = start.Value + blockCount;
        while (block < end && count < extents.Length)
        {
            var extent = ExtentAt?.Invoke(block) ?? new(BlockExtentKind.Data, end - block);
            extents[count++] = extent with { BlockCount = Math.Min(extent.BlockCount, end - block) };
            block += extent.BlockCount;
        }
        return count;
    }

    public DeviceStatistics GetStatistics() => default;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    long Offset(Lba start) => start.ToOffsetBytes(Geometry.BlockSizeBytes);

    ValueTask Run(TestCall call, Action effect, CancellationToken cancellationToken)
    {
        lock (calls) calls.Add(call);
        if (Before?.Invoke(call) is { IsCompletedSuccessfully: false } pending) return new(Later(pending, effect, cancellationToken));
        effect();
        return ValueTask.CompletedTask;
    }

    static async Task Later(Task pending, Action effect, CancellationToken cancellationToken)
    {
        await pending.WaitAsync(cancellationToken);
        effect();
    }
}

/// <summary>One call on a <see cref="TestDevice"/>.</summary>
sealed record TestCall(string Kind, long OffsetBytes, long LengthBytes, string Options = "None");
