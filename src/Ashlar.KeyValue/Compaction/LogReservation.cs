using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>Reserves space in the log for a group, on a full disk too.</summary>
sealed class LogReservation(BackgroundLanes lanes, SpaceReserve space, KeyValueOptions options)
{
    const int Attempts = 4;

    /// <summary>Reserves it; deletes may use what is kept for a full disk.</summary>
    /// <param name="log">The log.</param>
    /// <param name="bodyLength">Bytes of the batches of the group.</param>
    /// <param name="hasDeletes">Whether a batch of the group only deletes: puts that joined it before they knew come along.</param>
    /// <exception cref="StorageException">The disk is full; nothing is in doubt.</exception>
    public void Reserve(LogWriter log, long bodyLength, bool hasDeletes)
    {
        space.Prepare(isFull: false);
        if (!space.IsLow)
        {
            try
            {
                log.Reserve(bodyLength, options.LogChunkBytes);
                return;
            }
            catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
            {
                space.DeclareFull();
                if (!hasDeletes) throw;
            }
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                space.ReserveLog(log, bodyLength);
                return;
            }
            catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace && attempt < Attempts)
            {
                lanes.WaitUntilIdle(); // What is under way may give some back.
            }
        }
    }
}
