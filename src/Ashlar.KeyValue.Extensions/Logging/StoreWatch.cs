using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.KeyValue.Extensions.Logging;

/// <summary>
/// Compares what a store says of itself with the last look, and tells the log what has changed. For one caller at a time.
/// </summary>
/// <remarks>
/// Invariants: one look at a time, so that each change is told once; counters of a store only grow, so what one look tells the next does
/// not tell again.
/// </remarks>
sealed class StoreWatch(KeyValueStore store, string directory, ILogger logger)
{
    bool wasPoisoned;
    bool wasFull;
    string? lastProblem;
    string? lastArchiveProblem;
    long lastStalls;
    int isLooking;

    public void Look()
    {
        KeyValueStatistics now;
        try
        {
            now = store.GetStatistics();
        }
        catch (ObjectDisposedException)
        {
            return; // Whoever closes it tells the log.
        }

        Look(now, store.Failure);
    }

    public void Look(KeyValueStatistics now, Exception? failure)
    {
        var isAlone = Interlocked.Exchange(ref isLooking, 1) == 0;
        Invariant.Require(isAlone);
        try
        {
            Compare(now, failure);
        }
        finally
        {
            Volatile.Write(ref isLooking, 0);
        }
    }

    void Compare(KeyValueStatistics now, Exception? failure)
    {
        if (!wasPoisoned && failure is not null)
        {
            wasPoisoned = true;
            KeyValueLog.Poisoned(logger, failure, directory);
        }

        if (now.LastBackgroundFailure != lastProblem)
        {
            lastProblem = now.LastBackgroundFailure;
            if (lastProblem is null) KeyValueLog.BackgroundGoesOn(logger, directory);
            else KeyValueLog.BackgroundFailed(logger, directory, lastProblem);
        }

        if (now.LastArchiveFailure != lastArchiveProblem)
        {
            lastArchiveProblem = now.LastArchiveFailure;
            if (lastArchiveProblem is null) KeyValueLog.ArchiveGoesOn(logger, directory);
            else KeyValueLog.ArchiveFailed(logger, directory, lastArchiveProblem);
        }

        if (now.IsDiskFull != wasFull)
        {
            wasFull = now.IsDiskFull;
            if (wasFull) KeyValueLog.DiskFull(logger, directory);
            else KeyValueLog.DiskHasRoom(logger, directory);
        }

        Invariant.Require(now.WriteStalls >= lastStalls);
        if (now.WriteStalls > lastStalls) KeyValueLog.WritersStopped(logger, directory, now.WriteStalls - lastStalls);
        lastStalls = now.WriteStalls;
    }
}
