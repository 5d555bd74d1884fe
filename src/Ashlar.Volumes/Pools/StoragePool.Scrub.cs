using Ashlar.Blocks;
using Ashlar.Blocks.Raid;

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

    /// <summary>
    /// Commits, and then says what blocks of the RAID set below the pool should hold, whichever volume, snapshot or deleted volume has
    /// them. Not to be kept for long.
    /// </summary>
    /// <param name="ranges">Blocks of the set that are to be known.</param>
    /// <exception cref="NotSupportedException">The metadata of the pool are not on its device.</exception>
    public async Task<IChecksumOracle> ReadChecksumsAsync(IEnumerable<(Lba Start, long BlockCount)> ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        ThrowIfClosed();
        var placement = FindPlacement() ?? throw new NotSupportedException($"The metadata of pool {Name} lie in a directory.");
        await CommitAsync();
        using var snapshot = Store.CreateSnapshot();
        return StoredChecksums.Read(snapshot, placement, Space, Parts.Checksum, Name, ranges);
    }
}
