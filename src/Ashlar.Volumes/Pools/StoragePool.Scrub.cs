namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    /// <summary>A look at all blocks of all volumes, which begins when it is run.</summary>
    public PoolScrub CreateScrub()
    {
        ThrowIfClosed();
        return new PoolScrub(this);
    }
}
