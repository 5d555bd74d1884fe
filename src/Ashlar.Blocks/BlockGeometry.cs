namespace Ashlar.Blocks;

/// <summary>Size and shape of a device.</summary>
/// <param name="BlockSizeBytes">512 or 4096.</param>
/// <param name="BlockCount">Number of blocks.</param>
/// <param name="PhysicalBlockSizeBytes">Smaller writes cost a read: 4096 for a volume of 512-byte blocks.</param>
/// <param name="OptimalTransferBytes">Unit in which space is allocated and given back; 0 where it does not matter.</param>
public readonly record struct BlockGeometry(
    int BlockSizeBytes,
    long BlockCount,
    int PhysicalBlockSizeBytes = 0,
    int OptimalTransferBytes = 0)
{
    /// <summary>Size in bytes.</summary>
    public long SizeBytes => checked(BlockSizeBytes * BlockCount);

    /// <summary>Fails unless the range lies within the device. Written so that no sum can overflow.</summary>
    /// <exception cref="BlockRangeException">It does not.</exception>
    public void CheckRange(string device, Lba start, long blockCount)
    {
        if (start.Value < 0 || blockCount < 0 || start.Value > BlockCount || blockCount > BlockCount - start.Value)
            throw new BlockRangeException(device, start, blockCount, BlockCount);
    }
}
