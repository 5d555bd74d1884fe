using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// The way by which everything in a pool writes to its store. A write ends in one of three ways. <i>Done.</i> <i>Refused</i>, with
/// nothing in doubt: the disk of the store had no room, nothing of the batch is there, and the caller leaves its memory as it was;
/// it may try the same batch again. <i>In doubt</i>: whatever else fails may have reached the disk or not, so the pool is latched.
/// </summary>
sealed class MetadataWriter(KeyValueStore store, FailureLatch failure, PoolEvents events, string pool)
{
    int isExhausted;
    byte[] life = [];

    /// <summary>Name of the pool, for messages.</summary>
    public string PoolName { get; } = pool;

    /// <summary>
    /// Whether the disk has no room for what the pool would write about itself: nothing new is mapped until it has; what is mapped
    /// can be overwritten, discarded and read.
    /// </summary>
    public bool IsExhausted => Volatile.Read(ref isExhausted) != 0;

    /// <summary>Adds that the pool is open to a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="openedBy">Who has opened it.</param>
    public void PutIsOpen(WriteBatch batch, Guid openedBy)
    {
        life = openedBy.ToByteArray();
        batch.Put(MapKeys.IsOpen, life);
    }

    /// <summary>Refuses what would need more of the map.</summary>
    /// <exception cref="DeviceFullException">The disk of the map is full.</exception>
    public void ThrowIfExhausted(string device)
    {
        if (IsExhausted) throw new DeviceFullException(device, $"the disk of the map of pool {PoolName} is full");
    }

    /// <summary>Writes a batch, atomically.</summary>
    /// <param name="batch">The batch; not to be changed before the task completes.</param>
    /// <param name="durability">What the write has survived when the task completes.</param>
    /// <param name="mayUseReserve">
    /// Whether the batch gives more space back than it takes, or ends something: deleting, discarding, opening, closing. Such
    /// batches are written on a full disk too, out of what the store keeps for them.
    /// </param>
    /// <exception cref="DeviceFullException">Refused for want of space; nothing is in doubt.</exception>
    /// <exception cref="DeviceIOException">In doubt, now or before: the pool accepts no writes until it is opened again.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteAsync(WriteBatch batch, Durability durability, bool mayUseReserve)
    {
        failure.ThrowIfLatched();
        batch.MayUseReserve = mayUseReserve;
        try
        {
            await store.WriteAsync(batch, durability);
        }
        catch (Exception cause)
        {
            throw Judge(cause);
        }
    }

    /// <summary>As <see cref="WriteAsync"/>, for callers with a thread of their own.</summary>
    public void Write(WriteBatch batch, Durability durability, bool mayUseReserve)
    {
        failure.ThrowIfLatched();
        batch.MayUseReserve = mayUseReserve;
        try
        {
            store.Write(batch, durability);
        }
        catch (Exception cause)
        {
            throw Judge(cause);
        }
    }

    /// <summary>
    /// Writes what follows from requests that were accepted: commits and markers. Out of the reserve when the disk is full; from then
    /// on nothing new is accepted that would need more.
    /// </summary>
    public void WriteOrUseReserve(WriteBatch batch, Durability durability)
    {
        try
        {
            Write(batch, durability, mayUseReserve: false);
            HasRoom();
        }
        catch (DeviceFullException refused)
        {
            HasNoRoom(refused);
            Write(batch, durability, mayUseReserve: true);
        }
    }

    /// <summary>
    /// Writes what nothing depends on, also while the pool refuses writes: what is in doubt then is what others wrote. Never fails.
    /// </summary>
    /// <returns>Whether it was written.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    [SuppressMessage("Design", "CA1031", Justification = "What leaves stable storage in doubt latches the pool.")]
    public async ValueTask<bool> TryWriteHintAsync(WriteBatch batch, bool mayUseReserve)
    {
        if (store.Failure is not null) return false;
        batch.MayUseReserve = mayUseReserve;
        try
        {
            await store.WriteAsync(batch, Durability.Relaxed);
            return true;
        }
        catch (Exception cause)
        {
            _ = Judge(cause);
            return false;
        }
    }

    /// <summary>While the disk is full: looks whether it still is.</summary>
    public void Probe()
    {
        if (!IsExhausted) return;
        var probe = new WriteBatch();
        probe.Put(MapKeys.IsOpen, life); // Is there already; what counts is whether a put is taken.
        try
        {
            Write(probe, Durability.Relaxed, mayUseReserve: false);
            HasRoom();
        }
        catch (DeviceFullException)
        {
            // It still is.
        }
    }

    Exception Judge(Exception cause)
    {
        if (cause is StorageException { Kind: StorageErrorKind.NoSpace } && store.Failure is null)
            return new DeviceFullException(PoolName, $"the disk of the pool's map is full: {cause.Message}", cause);
        failure.Latch(cause);
        return failure.ToError(failure.First!);
    }

    void HasNoRoom(DeviceFullException refused)
    {
        if (Interlocked.Exchange(ref isExhausted, 1) != 0) return;
        events.Report(
            PoolEventKind.MetadataSpace,
            PoolEventSeverity.Error,
            "the disk of the map is full: writes that need new space are refused until there is room; overwriting, reading, discarding "
            + $"and deleting go on: {refused.Message}",
            cause: refused);
    }

    void HasRoom()
    {
        if (!IsExhausted || Interlocked.Exchange(ref isExhausted, 0) == 0) return;
        events.Report(PoolEventKind.MetadataSpace, PoolEventSeverity.Information, "the disk of the map has room again");
    }
}
