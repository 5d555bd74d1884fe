namespace Ashlar.Volumes;

/// <summary>A leaf that stays in memory, with its write lock, until this is disposed of; once.</summary>
readonly struct LockedLeaf(Leaf leaf) : IDisposable
{
    public Leaf Leaf => leaf;

    public void Dispose()
    {
        leaf.WriteLock.Exit();
        leaf.Unpin();
    }
}
