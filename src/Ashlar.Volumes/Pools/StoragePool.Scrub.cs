namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    /// <summary>A look at all blocks of all volumes, which begins when it is run.</summary>
    /// <param name="looksAtCopies">
    /// Whether each copy of a block is read where the device has several, and not only the one that a request would get.
    /// </param>
    public PoolScrub CreateScrub(bool looksAtCopies = false)
    {
        ThrowIfClosed();
        return new PoolScrub(this, looksAtCopies);
    }
}
