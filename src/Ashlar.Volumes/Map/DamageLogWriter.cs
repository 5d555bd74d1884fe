using System.Runtime.CompilerServices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Leaves word for the next life of where something is damaged. Nothing depends on it, so it is written also while the pool refuses
/// writes, and what the disk has no room for is written later.
/// </summary>
sealed class DamageLogWriter(DamageLog log, MetadataWriter writer)
{
    const int MostOnFullDisk = 1000; // 18 KB of what is kept for those who make room.

    readonly AsyncLock turn = new();

    /// <summary>Writes what has changed, if anything has; nothing while that is being done.</summary>
    public void Begin()
    {
        if (!turn.IsHeld) _ = SaveAsync(mayUseReserve: false).AsTask();
    }

    /// <summary>Writes what has changed after whatever is being written; never fails.</summary>
    /// <param name="mayUseReserve">Whether this is the last time: then some is written on a full disk, too.</param>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask SaveAsync(bool mayUseReserve)
    {
        await turn.EnterAsync();
        try
        {
            if (await TryWriteAsync(DamageLog.MaxRemembered, mayUseReserve: false) || !mayUseReserve) return;
            await TryWriteAsync(MostOnFullDisk, mayUseReserve: true);
        }
        finally
        {
            turn.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryWriteAsync(int most, bool mayUseReserve)
    {
        if (!log.TryTakeChanges(most, out var places)) return true;
        var batch = new WriteBatch();
        if (places.Count == 0) batch.Delete(MapKeys.Damage);
        else batch.Put(MapKeys.Damage, DamagedPlace.ToBytes(places));
        if (await writer.TryWriteHintAsync(batch, mayUseReserve)) return true;
        log.PutChangesBack();
        return false;
    }
}
