using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// The way by which everything in a pool writes to its store. A write ends in one of three ways. <i>Done.</i> <i>Refused</i>, with
/// nothing in doubt: the disk of the store had no room, nothing of the batch is there, and the caller leaves its memory as it was;
/// it may try the same batch again. <i>In doubt</i>: whatever else fails may have reached the disk or not, so the pool is latched.
/// </summary>
sealed class MetadataWriter(KeyValueStore store, FailureLatch failure, string pool)
{
    /// <summary>Writes a batch, atomically.</summary>
    /// <param name="batch">The batch; not to be changed before the task completes.</param>
    /// <param name="durability">What the write has survived when the task completes.</param>
    /// <param name="mayUseReserve">
    /// Whether the batch gives more space back than it takes, or ends something: deleting, discarding, opening, closing. Such
    /// batches are written on a full disk too, out of what the store keeps for them.
    /// </param>
    /// <exception cref="DeviceFullException">Refused for want of space; nothing is in doubt.</exception>
    /// <exception cref="DeviceIOException">In doubt, now or before: the pool accepts no writes until it is opened again.</exception>
    public async ValueTask WriteAsync(WriteBatch batch, Durability durability, bool mayUseReserve)
    {
        failure.ThrowIfLatched();
        batch.MayUseReserve = mayUseReserve;
        try
        {
            await store.WriteAsync(batch, durability);
        }
        catch (StorageException refusal) when (refusal.Kind == StorageErrorKind.NoSpace)
        {
            throw new DeviceFullException(pool, $"the disk of the pool's map is full: {refusal.Message}", refusal);
        }
        catch (Exception cause)
        {
            failure.Latch(cause);
            throw failure.ToError(failure.First!);
        }
    }
}
