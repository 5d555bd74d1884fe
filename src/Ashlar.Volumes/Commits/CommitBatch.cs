using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// One atomic write of the store: some leaves, and the free space and usage that changed by exactly these leaves. A large
/// commit is cut into several; after each of them map and free space agree.
/// </summary>
/// <param name="isSpill">
/// Whether it holds only leaves of which nothing but checksums has changed, and their data need not be durable.
/// </param>
sealed class CommitBatch(bool isSpill)
{
    const int MaxLeaves = 512;

    readonly List<(Leaf Leaf, bool WasOverwritten)> leaves = [];
    readonly HashSet<VolumeDevice> volumes = [];
    readonly Dictionary<Leaf, CoveredLeaf> covered = [];

    public WriteBatch Entries { get; } = new();

    public int LeafCount => leaves.Count;

    public bool IsSpill => isSpill;

    public bool IsFull => leaves.Count >= MaxLeaves;

    /// <summary>Whether a leaf took the place of one that could not be read.</summary>
    public bool HasReplacement { get; private set; }

    /// <summary>Chunks that the leaves have let go of.</summary>
    public List<long> Released { get; } = [];

    /// <summary>Blocks of fragment chunks that the leaves have let go of.</summary>
    public List<long> ReleasedBlocks { get; } = [];

    /// <summary>Takes a leaf as it is now. Call under its write lock.</summary>
    /// <returns>
    /// Blocks at home that it calls valid, and no captured leaf did before, here or elsewhere; only of leaves of which blocks were
    /// overwritten.
    /// </returns>
    public BlockSet Capture(Leaf leaf, ChunkSpace space, FragmentSpace fragments)
    {
        Invariant.Require(leaf.WriteLock.IsHeld);
        var fresh = default(BlockSet);
        lock (leaf)
        {
            if (leaf.Dirt == LeafDirt.None) return fresh; // Captured before, from the other list.
            if (isSpill && leaf.Dirt > LeafDirt.Checksums) return fresh; // It is in the other list.
            Invariant.Require(!isSpill || leaf.IsOverwritten); // Its marker says so after a crash.
            Invariant.Require(leaf.Damage is null); // Or what the store holds of it would be lost by guessing.
            var areChecksumsAll = leaf.Dirt == LeafDirt.Checksums;
            leaf.Dirt = LeafDirt.None;
            leaf.CapturesBeingWritten++;
            leaves.Add((leaf, leaf.IsOverwritten));
            var mayMark = leaf is { IsOverwritten: true, MayBeTorn: false }
                && leaf.Changes.RemovedChunks.Count + leaf.Changes.RemovedBlocks.Count == 0;
            leaf.IsOverwritten = false;
            for (var slot = 0; slot < leaf.Entries.Length; slot++)
            {
                ref var entry = ref leaf.Entries[slot];
                Invariant.Require(entry.Birth <= leaf.Version.Generation);
                if (mayMark) fresh[slot] = (ushort)(entry.AtHome & ~entry.NeededAtHome);
                entry.Captured();
            }

            Invariant.Require(!isSpill || leaf.RecentThrough == 0); // What is logged has changed the map.
            leaf.CaptureRecent();
            if (!isSpill) CapturePlaces(leaf, space, fragments);
            Invariant.Require(!isSpill || !leaf.Changes.HasPlaces);

            if (leaf.IsReplacement)
            {
                leaf.IsReplacement = false;
                HasReplacement = true;
                Entries.Put(MapKeys.MayHaveLeaked, []);
            }

            if (areChecksumsAll && TryCaptureDelta(leaf)) return fresh;
            CaptureVersions(leaf);
            CaptureWhole(leaf);
            leaf.Changes.Clear();
        }

        return fresh;
    }

    /// <summary>Adds the free space and the usage as they are after the leaves captured so far.</summary>
    public void Seal(ChunkSpace space, FragmentSpace fragments)
    {
        fragments.Seal(Entries);
        Span<byte> value = stackalloc byte[GroupBitmap.MaxBytes];
        foreach (var group in space.TakeChangedGroups())
        {
            var length = GroupBitmap.Write(value, space.CommittedWords(group));
            if (length == 0) Entries.Delete(MapKeys.Bitmap(group));
            else Entries.Put(MapKeys.Bitmap(group), value[..length]);
        }

        foreach (var volume in volumes) volume.AddUsage(Entries);
    }

    // What is in use changes by exactly what the leaf has taken and let go of.
    void CapturePlaces(Leaf leaf, ChunkSpace space, FragmentSpace fragments)
    {
        var (changes, volume) = (leaf.Changes, leaf.Volume);
        foreach (var (chunk, wasCaptured) in changes.RemovedChunks)
        {
            Released.Add(chunk);
            if (!wasCaptured) continue;
            space.Capture(chunk, 0);
            volume.CommittedChunks--;
        }

        foreach (var chunk in changes.AddedChunks)
        {
            space.Capture(0, chunk);
            volume.CommittedChunks++;
        }

        foreach (var place in changes.AddedBlocks)
            if (fragments.CaptureAdded(volume, place)) volume.CommittedChunks++;
        foreach (var removed in changes.RemovedBlocks)
        {
            ReleasedBlocks.Add(removed.Place);
            if (fragments.CaptureRemoved(volume, removed)) volume.CommittedChunks--;
        }

        if (changes.HasPlaces) volumes.Add(volume);
    }

    // Where nothing but checksums has changed, and few of them, what the store has of the leaf stays.
    bool TryCaptureDelta(Leaf leaf)
    {
        if (leaf.Whole is not { } whole || whole.Version != leaf.Version || !leaf.Changes.IsEmpty) return false;
        var blocks = leaf.Renewed;
        if (blocks.Count > LeafDelta.MaxBlocks) return false;
        if (blocks.IsEmpty) return true; // It counts as changed by the marker of a write that has not come to it.
        Span<byte> key = stackalloc byte[MapKeys.DeltaBytes];
        Span<byte> value = stackalloc byte[LeafDelta.MaxBytes];
        MapKeys.WriteDelta(key, leaf.Volume.Lineage, leaf.Index);
        Entries.Put(key, value[..LeafDelta.Write(value, blocks, leaf.Checksums, whole.Tie)]);
        leaf.HasDelta = true;
        return true;
    }

    // In one batch with the end of its delta: what is left of the old one is never put into the new one.
    void CaptureWhole(Leaf leaf)
    {
        Span<byte> key = stackalloc byte[MapKeys.LeafBytes];
        Span<byte> value = stackalloc byte[LeafFormat.MaxBytes];
        var (lineage, index) = (leaf.Volume.Lineage, leaf.Index);
        MapKeys.WriteLeaf(key, lineage, index);
        var length = leaf.Map is null ? 0 : LeafFormat.Write(value, leaf.Map, leaf.Version);
        if (length == 0 && leaf.Volume is { Parent: not null, IsBeingDeleted: false }) length = LeafFormat.WriteEmpty(value, leaf.Version);
        if (length == 0) Entries.Delete(key);
        else Entries.Put(key, value[..length]);
        CaptureGeneration(leaf, length > 0);
        if (leaf.HasDelta) Entries.Delete(MapKeys.Delta(lineage, index));
        leaf.StoredAs(WholeLeaf.Of(leaf, value[..length]), default);
    }

    // The versions that snapshots keep get keys of their own, in the batch that puts something else in their place.
    void CaptureVersions(Leaf leaf)
    {
        var (lineage, index) = (leaf.Volume.Lineage, leaf.Index);
        foreach (var kept in leaf.Changes.Frozen)
        {
            Invariant.Require(kept.Generation < leaf.Version.Generation);
            Entries.Put(MapKeys.OldLeaf(lineage, index, kept.Generation), kept.Value);
            Entries.Put(MapKeys.Change(lineage, kept.Generation, index), []);
        }

        foreach (var generation in leaf.Changes.Dropped)
        {
            Entries.Delete(MapKeys.OldLeaf(lineage, index, generation));
            Entries.Delete(MapKeys.Change(lineage, generation, index));
        }
    }

    // In which generation a leaf was changed is found without looking at it. Of the first generation are all that say nothing.
    void CaptureGeneration(Leaf leaf, bool isStored)
    {
        var (lineage, index) = (leaf.Volume.Lineage, leaf.Index);
        var (before, after) = (leaf.StoredGeneration, isStored ? leaf.Version.Generation : 0);
        if (before == after) return;
        if (before > LeafVersion.First.Generation && !leaf.Changes.Frozen.Any(kept => kept.Generation == before))
            Entries.Delete(MapKeys.Change(lineage, before, index));
        if (after > LeafVersion.First.Generation) Entries.Put(MapKeys.Change(lineage, after, index), []);
        leaf.StoredGeneration = after;
    }

    /// <summary>
    /// What the log of recent writes need not say any more when the batch is durable. Ask before <see cref="Completed"/>: up to then
    /// whatever is done to these leaves is logged, be it that a marker vouches for it.
    /// </summary>
    public IReadOnlyList<CoveredLeaf> ListCovered()
    {
        // A leaf that changed again while the others were captured is in the batch twice.
        foreach (var captures in leaves.GroupBy(static each => each.Leaf))
        {
            var leaf = captures.Key;
            lock (leaf)
            {
                if (leaf.CapturedRecent == 0 || leaf.CapturesBeingWritten != captures.Count()) continue;
                covered.Add(leaf, new CoveredLeaf(leaf.Volume.Lineage, leaf.Index, leaf.CapturedRecent, leaf.MarkedThrough));
            }
        }

        return [.. covered.Values];
    }

    /// <summary>The batch is durable; one that is a spill is only written, and its markers go to those that are to be settled.</summary>
    /// <returns>What the log need not say any more of what came since <see cref="ListCovered"/>.</returns>
    public IReadOnlyList<CoveredLeaf> Completed(OverwriteMarkers markers, List<LeafMarks> spilled)
    {
        var late = new List<CoveredLeaf>();
        foreach (var (leaf, wasOverwritten) in leaves)
        {
            lock (leaf)
            {
                leaf.CapturesBeingWritten--;
                Invariant.Require(leaf.CapturesBeingWritten >= 0);
                // Blocks that moved on since are where no committed leaf knows them. It may have been captured again, by the same commit:
                // then the store goes on to have the one or the other.
                if (leaf.CapturesBeingWritten == 0)
                {
                    foreach (ref var entry in leaf.Entries) entry.Committed();
                    if (covered.TryGetValue(leaf, out var told) && leaf.MarkedThrough > told.MarkedThrough)
                        late.Add(told with { MarkedThrough = leaf.MarkedThrough });
                    (leaf.CapturedRecent, leaf.MarkedThrough) = (0, 0);
                }
            }

            if (wasOverwritten && leaf.Marks is { } marks)
            {
                if (isSpill) spilled.Add(marks);
                else markers.Committed(marks);
            }

            leaf.Unpin();
        }

        return late;
    }
}
