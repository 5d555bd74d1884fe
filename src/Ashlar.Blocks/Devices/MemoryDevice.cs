namespace Ashlar.Blocks.Devices;

/// <summary>
/// A device in memory: by default 2,048 blocks of 4,096 bytes (8 MiB). Memory is taken as blocks are first written. Its
/// content, and the state of its blocks, end with the process.
/// </summary>
public sealed class MemoryDevice : StatefulDevice
{
    /// <summary>Number of blocks of a device that is not told otherwise.</summary>
    public const long DefaultBlockCount = 2048;

    /// <summary>Block size of a device that is not told otherwise.</summary>
    public const int DefaultBlockSizeBytes = 4096;

    readonly MemoryBlocks blocks;

    /// <summary>Creates a device whose blocks are all free.</summary>
    /// <param name="blockCount">Number of blocks.</param>
    /// <param name="blockSizeBytes">512 or 4096.</param>
    /// <param name="name">A name for messages.</param>
    public MemoryDevice(
        long blockCount = DefaultBlockCount,
        int blockSizeBytes = DefaultBlockSizeBytes,
        string name = "memory")
        : base(
            name,
            new BlockStateMap(BlockGeometry.Create(blockSizeBytes, blockCount).BlockCount),
            blockSizeBytes,
            new DeviceCounters()) =>
        blocks = new MemoryBlocks(Geometry.SizeBytes);

    /// <inheritdoc />
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private protected override ValueTask ReadDataAsync(Lba start, Memory<byte> destination)
    {
        blocks.Read(start.ToOffsetBytes(Geometry.BlockSizeBytes), destination.Span);
        return ValueTask.CompletedTask;
    }

    private protected override ValueTask WriteDataAsync(Lba start, ReadOnlyMemory<byte> source)
    {
        blocks.Write(start.ToOffsetBytes(Geometry.BlockSizeBytes), source.Span);
        return ValueTask.CompletedTask;
    }

    private protected override ValueTask PersistAsync() => ValueTask.CompletedTask;
}
