using System.Collections;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// What is another than in an older snapshot. Only leaves that were changed since are looked at: those in memory say so themselves, of the
// others the store has a list.
sealed partial class VolumeDevice
{
    /// <summary>Which blocks are not as in a snapshot: see <see cref="IChangeMap.DescribeChanges"/>.</summary>
    /// <param name="since">Generation of the snapshot, which must be there until this returns.</param>
    /// <param name="start">First block.</param>
    /// <param name="blockCount">How far to look.</param>
    /// <param name="changes">Gets the runs.</param>
    public int DescribeChanges(long since, Lba start, long blockCount, Span<BlockChange> changes)
    {
        ThrowIfUnusable();
        Geometry.CheckRange(Name, start, blockCount);
        if (blockCount == 0) return 0;
        var runs = new ChangeRuns(changes, BlockSizeBytes);
        var offset = start.ToOffsetBytes(BlockSizeBytes);
        var end = offset + (blockCount * BlockSizeBytes);
        var first = offset / MapLayout.LeafBytes;
        var changed = ListChanged(since, first, (end + MapLayout.LeafBytes - 1) / MapLayout.LeafBytes);
        for (var i = 0; i < changed.Count; i++)
        {
            var next = Math.Min(end, (first + i + 1) * MapLayout.LeafBytes);
            if (!(changed[i] ? CompareLeaf(since, first + i, offset, next, ref runs) : runs.Add(false, next - offset))) break;
            offset = next;
        }

        return runs.Count;
    }

    // Memory before the store: a leaf that leaves the memory in between has been committed, and the list has it.
    BitArray ListChanged(long since, long firstLeaf, long endLeaf)
    {
        var changed = new BitArray(checked((int)(endLeaf - firstLeaf)));
        if (AsOf is null)
        {
            for (var leaf = firstLeaf; leaf < endLeaf; leaf++)
                if (Leaves.Find(leaf) is { } found && IsChangedInMemory(found, since)) changed[(int)(leaf - firstLeaf)] = true;
        }

        var listed = new ChangedLeafList(range => parts.Store.Scan(range))
            .ReadRange(Lineage, since, AsOf ?? MapLayout.MaxNumber48 - 1, firstLeaf, endLeaf);
        foreach (var leaf in listed) changed[(int)(leaf - firstLeaf)] = true;
        return changed;
    }

    // One that is still being loaded says nothing yet, and is as the store has it.
    static bool IsChangedInMemory(Leaf leaf, long since)
    {
        lock (leaf) return leaf.Version.Generation > since || leaf.Damage is not null;
    }

    bool CompareLeaf(long since, long leafIndex, long offset, long end, ref ChangeRuns runs)
    {
        LeafMap? before;
        try
        {
            before = new LeafMap();
            if (parts.Versions.Find(Lineage, leafIndex, since, out _) is { } value)
                LeafFormat.Read(value, before, parts.Space.ChunkCount, Name, leafIndex);
        }
        catch (CorruptDataException)
        {
            before = null; // Nobody knows what was there: all of it counts as changed.
        }

        var leaf = parts.Cache.Acquire(this, leafIndex);
        try
        {
            lock (leaf)
            {
                var after = leaf.Map ?? new LeafMap();
                while (offset < end)
                {
                    var block = (int)(offset % MapLayout.LeafBytes / MapLayout.BlockBytes);
                    var next = Math.Min(end, ((offset / MapLayout.BlockBytes) + 1) * MapLayout.BlockBytes);
                    // What cannot be read counts as changed: whoever copies it shall meet the error.
                    var isChanged = before is null || leaf.Damage is not null || SnapshotDiff.IsChanged(before, after, block);
                    if (!runs.Add(isChanged, next - offset)) return false;
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

    /// <summary>Collects runs, merging neighbours of one kind.</summary>
    ref struct ChangeRuns(Span<BlockChange> changes, int blockSizeBytes)
    {
        readonly Span<BlockChange> changes = changes;

        public int Count { get; private set; }

        /// <summary>Adds a run; false when there is no room for another.</summary>
        public bool Add(bool isChanged, long lengthBytes)
        {
            var blocks = lengthBytes / blockSizeBytes;
            if (Count > 0 && changes[Count - 1].IsChanged == isChanged)
            {
                changes[Count - 1] = new BlockChange(isChanged, changes[Count - 1].BlockCount + blocks);
                return true;
            }

            if (Count == changes.Length) return false;
            changes[Count++] = new BlockChange(isChanged, blocks);
            return true;
        }
    }
}
