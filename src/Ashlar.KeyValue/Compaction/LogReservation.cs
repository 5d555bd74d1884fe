using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.MemTables;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Reserves space in the log for a group, on a full disk too.</summary>
sealed class LogReservation(BackgroundLanes lanes, SpaceReserve space)
{
    /// <summary>Reserves it.</summary>
    /// <param name="log">The log.</param>
    /// <param name="active">The memtable that the group is for.</param>
    /// <param name="bodyLength">Bytes of the batches of the group.</param>
    /// <param name="claim">What every batch of the group may use of what is kept for a full disk.</param>
    /// <exception cref="StorageException">The disk is full; nothing is in doubt.</exception>
    public void Reserve(LogWriter log, MemTable active, long bodyLength, SpaceClaim claim)
    {
        space.Prepare(active.UsedBytes);
        if (claim == SpaceClaim.None && space.IsLow) RequireRoom(); // It joined before anybody knew.
        if (!space.IsLow)
        {
            try
            {
                log.Reserve(bodyLength, log.AheadBytes);
                return;
            }
            catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
            {
                space.DeclareFull();
                if (claim == SpaceClaim.None) throw;
            }
        }

        ReserveOfKept(log, bodyLength, claim);
    }

    // What is done because there is room again may find that there is too little.
    void RequireRoom()
    {
        if (space.RequireRoom()) lanes.Signal();
        space.RequireRoom();
    }

    void ReserveOfKept(LogWriter log, long bodyLength, SpaceClaim claim)
    {
        for (var retries = 0; ; retries++)
        {
            try
            {
                space.ReserveLog(log, bodyLength, claim);
                return;
            }
            catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace && retries <= FreedSpace.Waits)
            {
                lanes.WaitUntilIdle(); // What is under way may give some back.
                if (retries > 0) lanes.WaitForFreedSpace(retries - 1);
            }
        }
    }
}
