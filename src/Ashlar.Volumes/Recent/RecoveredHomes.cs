namespace Ashlar.Volumes;

/// <summary>
/// The chunks that hold what an earlier life wrote and did not commit. They are nobody's, as far as the store says; while its log is taken
/// up they are given to nobody but the chunks of volumes whose homes they were.
/// </summary>
sealed class RecoveredHomes(ChunkSpace space)
{
    readonly HashSet<long> held = [];
    readonly long[] homes = new long[MapLayout.ChunksPerLeaf];
    Leaf? current;

    /// <summary>Keeps a chunk from being given out, if it is free.</summary>
    public void Hold(long chunk)
    {
        if (!held.Contains(chunk) && space.TryHold(chunk)) held.Add(chunk);
    }

    /// <summary>From now on a leaf is written.</summary>
    public void Begin(Leaf leaf)
    {
        current = leaf;
        Array.Clear(homes);
    }

    /// <summary>A block of the leaf was found at a home.</summary>
    public void Found(int block, long chunk) => homes[block / MapLayout.BlocksPerChunk] = chunk;

    /// <summary>The home that a chunk of a leaf had, which becomes the caller's; 0 where there is none.</summary>
    public long Take(Leaf leaf, int slot) => leaf == current && homes[slot] is not 0 and var chunk && held.Remove(chunk) ? chunk : 0;

    /// <summary>A request gives a home back that it could not use; false when it is none of the leaf's.</summary>
    public bool TakeBack(long chunk) => Array.IndexOf(homes, chunk) >= 0 && held.Add(chunk);

    /// <summary>What nobody has taken is free.</summary>
    public void Release()
    {
        space.Release([.. held]);
        held.Clear();
        current = null;
    }
}
