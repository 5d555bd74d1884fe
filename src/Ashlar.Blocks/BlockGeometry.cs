namespace Ashlar.Blocks;

/// <summary>Size and shape of a device.</summary>
/// <param name="BlockSizeBytes">512 or 4096.</param>
/// <param name="BlockCount">Number of blocks.</param>
/// <param name="PhysicalBlockSizeBytes">Smaller writes cost a read: 4096 for a volume of 512-byte blocks.</param>
/// <param name="OptimalTransferBytes">Unit in which space is allocated and given back; 0 where it does not
/// matter.</param>
/// <param name="IsThick">Whether all of its space is its own from the beginning, and stays so when it is trimmed.</param>
public readonly record struct BlockGeometry(
    int BlockSizeBytes,
    long BlockCount,
    int PhysicalBlockSizeBytes = 0,
    int OptimalTransferBytes = 0,
    bool IsThick = false)
{
    /// <summary>Longest write that <see cref="WriteOptions.Atomic"/> can be asked for, wherever it begins; 0 where none can.</summary>
    public int MaxAtomicWriteBytes { get; init; }

    /// <summary>Size in bytes.</summary>
    public long SizeBytes => checked(BlockSizeBytes * BlockCount);

    /// <summary>Fails unless the range lies within the device. Written so that no sum can overflow.</summary>
    /// <exception cref="BlockRangeException">It does not.</exception>
    public void CheckRange(string device, Lba start, long blockCount)
    {
        if (start.Value < 0 || blockCount < 0 || start.Value > BlockCount || blockCount > BlockCount - start.Value)
            throw new BlockRangeException(device, start, blockCount, BlockCount);
    }

    /// <summary>Fails unless a buffer holds whole blocks and the range lies within the device.</summary>
    /// <returns>The number of blocks that the buffer holds.</returns>
    /// <exception cref="BlockAlignmentException">The buffer ends within a block.</exception>
    /// <exception cref="BlockRangeException">The range reaches beyond the device.</exception>
    public long CheckBuffer(string device, Lba start, int lengthBytes)
    {
        var (blockCount, rest) = Math.DivRem(lengthBytes, BlockSizeBytes);
        if (rest != 0) throw new BlockAlignmentException(device, lengthBytes, BlockSizeBytes);
        CheckRange(device, start, blockCount);
        return blockCount;
    }

    /// <summary>The shape of a device, checked.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The block size is neither 512 nor 4096, or the number of blocks is not positive, or the size exceeds 2^63 - 1
    /// bytes.
    /// </exception>
    public static BlockGeometry Create(int blockSizeBytes, long blockCount)
    {
        if (blockSizeBytes is not (512 or 4096))
            throw new ArgumentOutOfRangeException(nameof(blockSizeBytes), blockSizeBytes, "Neither 512 nor 4096.");
        if (blockCount < 1 || blockCount > long.MaxValue / blockSizeBytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(blockCount), blockCount, "A device has between 1 block and 2^63 - 1 bytes.");
        }
        return new BlockGeometry(blockSizeBytes, blockCount, blockSizeBytes);
    }
}
