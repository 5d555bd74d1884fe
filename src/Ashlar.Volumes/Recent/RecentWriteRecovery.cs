using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Takes up the log of recent writes of a life that was killed, before anybody uses the pool: what it finds is written as a client would
/// write it, to the same places where those are homes, and committed.
/// </summary>
/// <remarks>
/// Crash order: 1. All places that the log speaks of are kept from others. 2. What is found is written, and logged in turn. Kill: the log
/// has both, and nothing that it speaks of is overwritten but by the same. 3. A commit. Power loss before: the log is of no use, as if
/// there had been none. 4. What was not taken of the places is free.
/// </remarks>
sealed class RecentWriteRecovery(PoolParts parts, Func<long, VolumeDevice?> findVolume)
{
    /// <returns>Whether all of it is committed, as far as it was found: then the log is over.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> RunAsync(RecentWriteRecords records)
    {
        var homes = new RecoveredHomes(parts.Space);
        parts.Recent.Homes = homes;
        try
        {
            foreach (var (lineage, leafIndex) in parts.Rules.HoldsRecovered ? records.Leaves : [])
                foreach (var chunk in ChunksOf(records, lineage, leafIndex)) homes.Hold(chunk);
            var total = default(RecoveredBlocks);
            Memory<byte> buffer = GC.AllocateUninitializedArray<byte>(MapLayout.LeafBytes, pinned: true);
            foreach (var (lineage, leafIndex) in records.Leaves)
            {
                if (findVolume(lineage) is not { } volume || leafIndex < 0 || leafIndex >= LeavesOf(volume))
                {
                    parts.Recent.LogCovered([records.Cover(lineage, leafIndex)]); // Gone, or cut off.
                    continue;
                }

                try
                {
                    total += await volume.RecoverAsync(leafIndex, records, buffer, homes);
                }
                catch (BlockDeviceException cause) when (!cause.IsTransient)
                {
                    // From now on it is overwritten unlogged.
                    parts.Recent.LogCovered([records.Cover(lineage, leafIndex)]);
                    Report(PoolEventSeverity.Error, $"what nobody had flushed of volume {volume.Name} is lost: {cause.Message}", cause);
                }
            }

            var isCommitted = await TryCommitAsync();
            Tell(total);
            return isCommitted;
        }
        finally
        {
            parts.Recent.Homes = null;
            homes.Release();
        }
    }

    static long LeavesOf(VolumeDevice volume) => (volume.SizeBytes + MapLayout.LeafBytes - 1) / MapLayout.LeafBytes;

    static IEnumerable<long> ChunksOf(RecentWriteRecords records, long lineage, long leafIndex)
    {
        var runs = new List<RecentRun>();
        foreach (var entry in records.NewestFirst(lineage, leafIndex))
        {
            if (entry.Record.Kind != RecentKind.Write || !RecentWriteFormat.TryReadRuns(entry.Bytes.Span, runs)) continue;
            foreach (var run in runs)
                for (var i = 0; i < run.Checksums.Length; i++) yield return (run.Place + i) / MapLayout.BlocksPerChunk;
        }
    }

    // A disk of the map without room keeps what was captured, and the log what it lacks.
    async ValueTask<bool> TryCommitAsync()
    {
        try
        {
            await parts.Committer.RunAsync(CommitScope.Flush);
            return true;
        }
        catch (DeviceFullException full)
        {
            Report(PoolEventSeverity.Warning, $"what was found of recent writes could not be committed yet: {full.Message}", full);
            return false;
        }
    }

    void Tell(RecoveredBlocks total)
    {
        const string killed = "the process before was killed:";
        var blocks = $"blocks of {MapLayout.BlockBytes} bytes that nobody had flushed";
        if (total.Found > 0) Report(PoolEventSeverity.Information, $"{killed} {total.Found} {blocks} were found");
        if (total.Missing > 0)
            Report(PoolEventSeverity.Error, $"{killed} {total.Missing} {blocks} are lost: they are not where they were written");
        if (total.Lost > 0)
            Report(PoolEventSeverity.Error, $"{killed} {total.Lost} {blocks} are lost, because they cannot be written");
    }

    void Report(PoolEventSeverity severity, string message, Exception? cause = null) =>
        parts.Events.Report(PoolEventKind.Recovery, severity, message, cause: cause);
}
