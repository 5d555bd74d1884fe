namespace Ashlar.Volumes;

/// <summary>Splits a run of blocks of a leaf by chunk: each slot with the mask of its blocks that lie in the run.</summary>
readonly ref struct SlotMasks(int firstBlock, int blockCount)
{
    readonly int first = firstBlock, end = firstBlock + blockCount;

    /// <summary>The run as a set.</summary>
    public static BlockSet ToSet(int firstBlock, int blockCount)
    {
        var blocks = default(BlockSet);
        foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount)) blocks[slot] = mask;
        return blocks;
    }

    public Enumerator GetEnumerator() => new(first, end);

    public ref struct Enumerator(int first, int end)
    {
        int next = first;

        public (int Slot, ushort Mask) Current { get; private set; }

        public bool MoveNext()
        {
            if (next >= end) return false;
            var slot = next / MapLayout.BlocksPerChunk;
            var inChunk = next % MapLayout.BlocksPerChunk;
            var count = Math.Min(MapLayout.BlocksPerChunk - inChunk, end - next);
            Current = (slot, MapLayout.BlockMask(inChunk, count));
            next += count;
            return true;
        }
    }
}
