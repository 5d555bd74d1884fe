using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>The leaves that a commit has yet to write, by what of them has changed. They are pinned, so that they stay in memory.</summary>
sealed class ChangedLeaves(LeafCache cache)
{
    readonly Lock gate = new();
    List<Leaf> maps = [];
    List<Leaf> checksums = [];

    /// <summary>How many there are, roughly.</summary>
    public int Count => MapCount + Volatile.Read(ref checksums).Count;

    /// <summary>What gives most of them back to the cache at the least cost.</summary>
    public CommitScope CheapestRelief =>
        MapCount > Volatile.Read(ref checksums).Count ? CommitScope.Flush : CommitScope.Spill;

    /// <summary>How many a flush must write.</summary>
    public int MapCount => Volatile.Read(ref maps).Count;

    /// <summary>Whether writers should wait for a commit before they change more.</summary>
    public bool AreTooMany => Count >= cache.MaxDirtyLeaves;

    /// <summary>Whether it is time for a commit, so that nobody has to wait for one.</summary>
    public bool AreMany => Count >= cache.MaxDirtyLeaves / 2;

    /// <summary>A leaf changed. Call under <c>lock (leaf)</c> and the leaf's write lock, before the change is acknowledged.</summary>
    public void Add(Leaf leaf, LeafDirt dirt)
    {
        if (leaf.Dirt >= dirt) return;
        if (leaf.Dirt == LeafDirt.None) Invariant.Require(leaf.TryPin()); // Whoever changes it holds it already.
        leaf.Dirt = dirt;
        lock (gate) (dirt == LeafDirt.Map ? maps : checksums).Add(leaf);
    }

    /// <summary>Takes the leaves that a commit is about to capture. A leaf may be in the answer twice.</summary>
    public IReadOnlyList<Leaf> Take(CommitScope scope)
    {
        lock (gate)
        {
            List<Leaf> taken = [];
            if (scope >= CommitScope.Flush) (taken, maps) = (maps, taken);
            if (scope == CommitScope.Flush) return taken;
            taken.AddRange(checksums);
            checksums = [];
            return taken;
        }
    }
}
