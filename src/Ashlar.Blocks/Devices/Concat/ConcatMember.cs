namespace Ashlar.Blocks.Devices;

/// <summary>A device of a set, and which blocks of the set lie on it.</summary>
/// <param name="Device">It.</param>
/// <param name="StartBlock">The first of them.</param>
/// <param name="SkippedBlocks">Blocks at the front of the device that belong to its label.</param>
/// <param name="BlockCount">How many they are.</param>
sealed record ConcatMember(IBlockDevice Device, long StartBlock, long SkippedBlocks, long BlockCount)
{
    public long EndBlock => StartBlock + BlockCount;

    public Lba On(long block) => new(block - StartBlock + SkippedBlocks);
}
