using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// What a leaf has taken and let go of since it was last captured for a commit, and the versions of it that snapshots keep or let go of.
/// Read and changed under <c>lock (leaf)</c>, within the leaf's write lock.
/// </summary>
sealed class LeafChanges
{
    readonly List<long> addedChunks = [];
    readonly List<long> addedBlocks = [];
    readonly List<RemovedPlace> removedChunks = [];
    readonly List<RemovedPlace> removedBlocks = [];
    readonly List<FrozenLeaf> frozen = [];
    readonly List<long> dropped = [];

    /// <summary>Homes that no captured leaf owns yet.</summary>
    public IReadOnlyList<long> AddedChunks => addedChunks;

    /// <summary>Blocks of fragment chunks that no captured leaf owns yet.</summary>
    public IReadOnlyList<long> AddedBlocks => addedBlocks;

    /// <summary>Homes that may be used again once a leaf without them is durable.</summary>
    public IReadOnlyList<RemovedPlace> RemovedChunks => removedChunks;

    /// <summary>Blocks of fragment chunks of which the same holds.</summary>
    public IReadOnlyList<RemovedPlace> RemovedBlocks => removedBlocks;

    /// <summary>Versions that snapshots need and that the store does not have under their own key.</summary>
    public IReadOnlyList<FrozenLeaf> Frozen => frozen;

    /// <summary>Generations of versions that no snapshot needs any more.</summary>
    public IReadOnlyList<long> Dropped => dropped;

    /// <summary>Whether it has taken a place, or let go of one.</summary>
    public bool HasPlaces => (addedChunks.Count | addedBlocks.Count | removedChunks.Count | removedBlocks.Count) != 0;

    /// <summary>Whether nothing is to be written but the leaf.</summary>
    public bool IsEmpty => !HasPlaces && frozen.Count + dropped.Count == 0;

    public void AddChunk(long chunk) => addedChunks.Add(chunk);

    public void AddBlock(long place) => addedBlocks.Add(place);

    public void RemoveChunk(long chunk) => removedChunks.Add(new(chunk, WasCaptured: !addedChunks.Remove(chunk)));

    public void RemoveBlock(long place) => removedBlocks.Add(new(place, WasCaptured: !addedBlocks.Remove(place)));

    public void Freeze(FrozenLeaf leaf)
    {
        Invariant.Require(frozen.Count == 0 || frozen[^1].Generation < leaf.Generation);
        frozen.Add(leaf);
    }

    public void Drop(long generation) => dropped.Add(generation);

    /// <summary>The leaf was captured.</summary>
    public void Clear()
    {
        addedChunks.Clear();
        addedBlocks.Clear();
        removedChunks.Clear();
        removedBlocks.Clear();
        frozen.Clear();
        dropped.Clear();
    }
}

/// <summary>A place that a leaf has let go of.</summary>
/// <param name="Place">A chunk of the device, or a block of it.</param>
/// <param name="WasCaptured">Whether a captured leaf owned it: then the free space in the store says so.</param>
readonly record struct RemovedPlace(long Place, bool WasCaptured);

/// <summary>A version of a leaf as a snapshot keeps it, encoded.</summary>
sealed record FrozenLeaf(long Generation, byte[] Value);
