using System.Runtime.CompilerServices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Takes snapshots, of one volume or of several at one instant.</summary>
/// <remarks>
/// <para>Crash order:</para>
/// <para>1. Write down, durably, that the snapshots are being taken, and the next generation. Crash: they never were; what may be kept
/// for them goes at the next opening.</para>
/// <para>2. Begin the next generation, in memory: whoever changes a leaf from now on keeps it as it was. 2 before 1 would let leaves of a
/// generation get into the store that a life after a crash gives to others.</para>
/// <para>3. Commit everything of the generation that has ended (<see cref="Committer"/>). Crash: the same as after 1.</para>
/// <para>4. Write down, durably, that the snapshots are there. 4 before 3 would let a snapshot lack what was acknowledged before it.</para>
/// <para>No step waits for anything that depends on the size of a volume; the commit of 3 is as large as what waits for it. After a crash
/// the check of what was being overwritten comes first, which takes as long as it takes.</para>
/// </remarks>
class SnapshotTaker(PoolParts parts, Catalogue catalogue, SnapshotRemover remover, Func<ValueTask> settled)
{
    readonly AsyncLock turn = new();

    /// <summary>Takes snapshots at one instant; durable when the call returns.</summary>
    /// <exception cref="SnapshotException">A name is not valid or taken, or a volume cannot have snapshots.</exception>
    /// <exception cref="Blocks.DeviceFullException">There is no room to write it down; nothing has changed.</exception>
    /// <exception cref="Blocks.DeviceIOException">What a crash left in doubt cannot be read now; nothing has changed.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<IReadOnlyList<SnapshotRecord>> TakeAsync(IReadOnlyList<(VolumeDevice Volume, string Name)> wanted)
    {
        // What a crash left in doubt belongs to the volume, not to what it was before: it is looked at first.
        if (parts.LeafStore.HasSuspects) await settled();
        // What the sweep could not come to: as a block of a snapshot it would be damage.
        if (parts.LeafStore.HasSuspects)
            foreach (var (volume, _) in wanted) await volume.CheckAllSuspectsAsync();
        await turn.EnterAsync();
        try
        {
            var records = (await BeginAsync(wanted)).ToArray();
            try
            {
                await CutAsync(wanted, records);
            }
            catch
            {
                await UndoAsync(wanted, records);
                throw;
            }

            return await catalogue.EndCutAsync(wanted, records);
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Step 1.</summary>
    protected virtual ValueTask<IReadOnlyList<SnapshotRecord>> BeginAsync(IReadOnlyList<(VolumeDevice Volume, string Name)> wanted) =>
        catalogue.BeginCutAsync(wanted, parts.Generation.Current);

    /// <summary>Steps 2 to 4.</summary>
    protected virtual ValueTask CutAsync(IReadOnlyList<(VolumeDevice Volume, string Name)> wanted, SnapshotRecord[] records) =>
        parts.Committer.CutAsync(new Cut(
            [.. wanted.Select(each => each.Volume)],
            parts.Generation.Current,
            () => NoteSizes(wanted, records),
            () => Complete(records)));

    // A volume may have grown since step 1, and been written there.
    static void NoteSizes(IReadOnlyList<(VolumeDevice Volume, string Name)> wanted, SnapshotRecord[] records)
    {
        for (var i = 0; i < records.Length; i++) records[i] = records[i] with { SizeBytes = wanted[i].Volume.SizeBytes };
    }

    /// <summary>Step 4.</summary>
    protected void Complete(IReadOnlyList<SnapshotRecord> records)
    {
        var batch = new WriteBatch();
        foreach (var record in records)
        {
            batch.Put(
                MapKeys.Snapshot(record.Lineage, record.Generation), (record with { State = SnapshotState.Ready }).ToBytes());
        }

        parts.Metadata.Write(batch, Durability.Sync, mayUseReserve: false);
    }

    // Whatever has come of it is given back like what was kept for a snapshot that is deleted.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask UndoAsync(IReadOnlyList<(VolumeDevice Volume, string Name)> wanted, SnapshotRecord[] records)
    {
        // The generation has ended, also where the cut did not come to begin the next one.
        if (parts.Generation.Current == records[0].Generation) parts.Generation.Advance(records[0].Generation + 1);
        foreach (var ((volume, _), record) in wanted.Zip(records))
        {
            try
            {
                await catalogue.DeleteSnapshotsAsync(volume, [record]);
                _ = remover.Begin(volume);
            }
            catch (AshlarException)
            {
                // Why it failed matters more to the caller. The next opening finds it as it is: never taken.
                await catalogue.GiveUpCutAsync(volume, record);
            }
        }
    }
}
