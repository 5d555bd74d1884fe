using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>A device that takes space from something below it as it is written, and can take it beforehand.</summary>
public interface IReservableDevice : IBlockDevice
{
    /// <summary>
    /// Bytes that can still be taken from what lies below, by this device or anybody else; null if nobody knows.
    /// </summary>
    /// <exception cref="StorageException">It could not be found out.</exception>
    long? FreeSpaceBelowBytes { get; }

    /// <summary>Devices of which it is the same take their space from the same thing below; null if nobody knows.</summary>
    /// <exception cref="StorageException">It could not be found out.</exception>
    string? SpaceBelowIdentity => null;

    /// <summary>
    /// Takes the space of a range, so that writes to it cannot run out of space; its content does not change. Durable
    /// after the next flush. Space that is given back by zeroing or trimming is no longer reserved, unless
    /// <see cref="ZeroOptions.KeepAllocated"/> is set.
    /// </summary>
    /// <exception cref="DeviceFullException">There is not enough; a part of the range may be reserved.</exception>
    /// <exception cref="NotSupportedException">What lies below cannot reserve space.</exception>
    ValueTask ReserveAsync(Lba start, long blockCount, CancellationToken cancellationToken = default);
}
