using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Has a memtable become a table for the sake of the ranges that were deleted in it, dropped keyspaces among them: what they cover can go
/// only then, and on a store that nobody writes to nothing else would begin it.
/// </summary>
/// <remarks>
/// A moment after a range was deleted it looks, once for all that were deleted by then, how much would be given back; less than
/// <see cref="KeyValueOptions.EarlyFlushBytes"/> is no reason, and a memtable that writers fill by themselves soon is waited for. What
/// ranges of the manifest cover does not count again, though a snapshot may keep it: so each flush that is begun is for something new.
/// </remarks>
sealed class EarlyFlush : IDisposable
{
    /// <summary>Ranges that are deleted one after the other share a flush, and there is at most one in so much time.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromSeconds(1);

    const int EntrySamples = 64;

    readonly StoreState state;
    readonly KeyValueOptions options;
    readonly Action begin;
    readonly ITimer timer;
    int isArmed;
    MemTable? armedFor; // With the next: what was being written then. Written by who arms it, read by the look before it disarms.
    long armedBytes;

    /// <summary>Prepares it.</summary>
    /// <param name="engine">The store.</param>
    /// <param name="begin">Has the memtable that is being written become a table, without waiting for that.</param>
    public EarlyFlush(EngineContext engine, Action begin)
    {
        (state, options, this.begin) = (engine.State, engine.Options, begin);
        timer = WorkerClock.For(options.TimeProvider).CreateTimer(
            _ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What recovery found counts as deleted now.</summary>
    public void Start()
    {
        if (options.ReadOnly) return;
        bool hasRanges;
        using (var read = state.Read()) hasRanges = read.Version.Active.RangeCount > 0;
        if (hasRanges) Arm();
    }

    /// <summary>
    /// Ranges are deleted in the memtable that is being written. Where writers do the work of the background, nothing is begun for them.
    /// Only the first call, before anything is written for it, may fail: for want of a thread.
    /// </summary>
    public void Arm()
    {
        if (options.BackgroundInline || Volatile.Read(ref isArmed) != 0 || Interlocked.Exchange(ref isArmed, 1) != 0) return;
        try
        {
            using (var read = state.Read())
            {
                armedFor = read.Version.Active;
                armedBytes = armedFor.UsedBytes;
            }

            timer.Change(Delay, Timeout.InfiniteTimeSpan);
        }
        catch
        {
            Volatile.Write(ref isArmed, 0);
            throw;
        }
    }

    /// <summary>It does not look again; a look that has begun goes on.</summary>
    public void Dispose() => timer.Dispose();

    void Look()
    {
        var (before, beforeBytes) = (armedFor, armedBytes);
        armedFor = null;
        Volatile.Write(ref isArmed, 0); // First: for a range that comes later it is armed again.
        try
        {
            var version = state.Acquire();
            try
            {
                if (version.Active.Ranges is not { } ranges) return;
                // What waits comes first: a memtable that had to wait for it would hold up writers, and its table counts by then.
                if (version.Immutable.Length > 0 || FillsByItself(version.Active, before, beforeBytes)) Arm();
                else if (Exceeds(version, ranges, options.EarlyFlushBytes)) begin();
            }
            finally
            {
                version.Release();
            }
        }
        catch (Exception refusal) when (refusal is ObjectDisposedException or (AshlarException and not InvariantException))
        {
            // The store is being closed, or a block cannot be read: nobody asked for this, and the range waits for writes, as ever.
        }
    }

    // Within a few times the delay it is full: small tables would only be more to merge.
    bool FillsByItself(MemTable active, MemTable? before, long beforeBytes) =>
        active.UsedBytes - (active == before ? beforeBytes : 0) > options.MemTableBytes / 4;

    bool Exceeds(StoreVersion version, RangeTombstones ranges, long limitBytes)
    {
        var bytes = CoveredBytes(version.Active, ranges);
        foreach (var table in version.Tables.All())
        {
            if (bytes >= limitBytes) break;
            using var read = state.Read(); // For each table anew: a long one would keep what others replace.
            var share = CoveredShare.OfAdded(read.Slot, table, ranges, version.Tables.Ranges);
            bytes += share * (table.Info.FileLength + LiveEstimate.ReferredBytes(table));
        }

        return bytes >= limitBytes;
    }

    // Of the log: what its entries need of it, the table of the memtable does not take along.
    static double CoveredBytes(MemTable table, RangeTombstones ranges)
    {
        var (samples, covered) = table.CountCovered(EntrySamples, ranges);
        return samples == 0 ? 0 : (double)covered / samples * (table.ContentBytes + table.PlacedBytes);
    }
}
