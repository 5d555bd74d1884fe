using Ashlar.Blocks;

namespace Ashlar.Volumes;

sealed partial class VolumeDevice
{
    // From the map in memory first: a leaf that was changed since it was persisted is always there.
    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents)
    {
        ThrowIfUnusable();
        Geometry.CheckRange(Name, start, blockCount);
        if (blockCount == 0) return 0;
        var runs = new ExtentRuns(extents, BlockSizeBytes);
        var offset = start.ToOffsetBytes(BlockSizeBytes);
        var end = offset + (blockCount * BlockSizeBytes);
        // Over what does not exist by seeks, however large it is.
        foreach (var leafIndex in LeafOccupancy.Between(
            this, offset / MapLayout.LeafBytes, (end + MapLayout.LeafBytes - 1) / MapLayout.LeafBytes))
        {
            var from = Math.Max(offset, leafIndex * MapLayout.LeafBytes);
            if (from > offset && !runs.Add(BlockExtentKind.Hole, from - offset)) return runs.Count;
            offset = Math.Min(end, (leafIndex + 1) * MapLayout.LeafBytes);
            if (!DescribeLeaf(leafIndex, from, offset, ref runs)) return runs.Count;
        }

        if (offset < end) runs.Add(BlockExtentKind.Hole, end - offset);
        return runs.Count;
    }

    bool DescribeLeaf(long leafIndex, long offset, long end, ref ExtentRuns runs)
    {
        var leaf = parts.Cache.Acquire(this, leafIndex);
        try
        {
            lock (leaf)
            {
                while (offset < end)
                {
                    var block = (int)(offset % MapLayout.LeafBytes / MapLayout.BlockBytes);
                    var next = Math.Min(end, ((offset / MapLayout.BlockBytes) + 1) * MapLayout.BlockBytes);
                    if (!runs.Add(KindOf(leaf, block), next - offset)) return false;
                    offset = next;
                }
            }

            return true;
        }
        finally
        {
            leaf.Unpin();
        }
    }

    static BlockExtentKind KindOf(Leaf leaf, int block)
    {
        if (leaf.Damage is not null) return BlockExtentKind.Data; // As far as anybody knows: whoever copies it shall meet the error.
        if (!leaf.HasEntries) return BlockExtentKind.Hole;
        ref readonly var entry = ref leaf.Entries[block / MapLayout.BlocksPerChunk];
        if (entry.IsValid(block % MapLayout.BlocksPerChunk)) return BlockExtentKind.Data;
        return entry.Chunk == 0 ? BlockExtentKind.Hole : BlockExtentKind.Zero;
    }

    /// <summary>Collects runs, merging neighbours of one kind.</summary>
    ref struct ExtentRuns(Span<BlockExtent> extents, int blockSizeBytes)
    {
        readonly Span<BlockExtent> extents = extents;

        public int Count { get; private set; }

        /// <summary>Adds a run; false when there is no room for another.</summary>
        public bool Add(BlockExtentKind kind, long lengthBytes)
        {
            var blocks = lengthBytes / blockSizeBytes;
            if (Count > 0 && extents[Count - 1].Kind == kind)
            {
                extents[Count - 1] = new BlockExtent(kind, extents[Count - 1].BlockCount + blocks);
                return true;
            }

            if (Count == extents.Length) return false;
            extents[Count++] = new BlockExtent(kind, blocks);
            return true;
        }
    }
}
