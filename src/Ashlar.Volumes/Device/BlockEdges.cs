namespace Ashlar.Volumes;

/// <summary>
/// How much of a range of bytes lies in blocks that it covers only in part: at its beginning, and at its end. A range within one block
/// has a beginning only.
/// </summary>
readonly record struct BlockEdges
{
    public BlockEdges(int offset, int length)
    {
        var inBlock = offset % MapLayout.BlockBytes;
        if (inBlock != 0 || length < MapLayout.BlockBytes) First = Math.Min(MapLayout.BlockBytes - inBlock, length);
        Last = (length - First) % MapLayout.BlockBytes;
    }

    public int First { get; }

    public int Last { get; }
}
