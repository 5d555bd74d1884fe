using Ashlar.KeyValue.Cache;

namespace Ashlar.KeyValue.Versions;

/// <summary>
/// One short read: the version that was current when it began, which stays whole, with the blocks that were found on the
/// way, until this is disposed. Costs two writes to memory that no other thread writes to.
/// </summary>
readonly ref struct ReadScope
{
    readonly ReadEpoch epoch;
    readonly int slot;

    public ReadScope(ReadEpoch epoch, int slot, StoreVersion version)
    {
        this.epoch = epoch;
        this.slot = slot;
        Version = version;
    }

    public StoreVersion Version { get; }

    /// <summary>The reader's place in the epoch, for those who look for blocks.</summary>
    public int Slot => slot;

    public void Dispose() => epoch.Exit(slot);
}
