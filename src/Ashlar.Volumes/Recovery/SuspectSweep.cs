using System.Diagnostics.CodeAnalysis;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// After a crash, looks in the background at all blocks that were being overwritten, while the pool is in use: whoever comes to one
/// of them first, a request or the sweep, settles it.
/// </summary>
sealed class SuspectSweep(PoolParts parts, Func<long, VolumeDevice?> findVolume) : IDisposable
{
    const int MarkersPerStep = 64;

    readonly CancellationTokenSource ending = new();
    readonly SharedCompletion done = new();
    Thread? thread;
    long totalLeaves, doneLeaves, checkedBlocks, skippedLeaves;
    volatile bool isRunning;

    /// <summary>How far it has come.</summary>
    public RecoveryProgress Progress => new(
        isRunning,
        Interlocked.Read(ref totalLeaves),
        Interlocked.Read(ref doneLeaves),
        Interlocked.Read(ref checkedBlocks),
        parts.Unverified.Count);

    /// <summary>Waits for its end.</summary>
    public ValueTask WaitAsync() => done.Task;

    /// <summary>
    /// Looks whether an earlier life left markers. Until all are settled each leaf is loaded with its own; so this comes before the
    /// first leaf is loaded.
    /// </summary>
    public void Prepare() => parts.LeafStore.HasSuspects = isRunning = parts.Rules.AreSuspectsLookedAt && HasMarkers();

    /// <summary>Begins, when all volumes are known.</summary>
    public void Start()
    {
        if (!isRunning)
        {
            done.SetResult();
            return;
        }

        thread = new Thread(Run) { IsBackground = true, Name = $"sweep {parts.Name}" };
        thread.UnsafeStart();
    }

    /// <summary>Ends it; what it has not come to keeps its markers for the next time.</summary>
    public void Dispose()
    {
        ending.Cancel();
        thread?.Join();
        ending.Dispose();
    }

    bool HasMarkers()
    {
        using var cursor = parts.Store.Scan(KeyRange.Prefix(MapKeys.Markers));
        return cursor.MoveNext();
    }

    [SuppressMessage("Design", "CA1031", Justification = "The sweep must never end the process; what it left stays suspect.")]
    void Run()
    {
        try
        {
            Interlocked.Exchange(ref totalLeaves, Count());
            if (!Sweep()) return;
            if (skippedLeaves == 0) parts.LeafStore.HasSuspects = false;
            Report(null);
        }
        catch (Exception cause)
        {
            if (!ending.IsCancellationRequested) Report(cause); // Else it is closing: the next life goes on.
        }
        finally
        {
            isRunning = false;
            done.SetResult();
        }
    }

    long Count()
    {
        long count = 0;
        using var cursor = parts.Store.Scan(KeyRange.Prefix(MapKeys.Markers));
        while (cursor.MoveNext() && !ending.IsCancellationRequested) count++;
        return count;
    }

    // A cursor for each step, so that none holds old versions of the store for as long as the sweep takes.
    bool Sweep()
    {
        var from = MapKeys.Markers.ToArray();
        var step = new List<(long Lineage, long LeafIndex)>(MarkersPerStep);
        while (true)
        {
            step.Clear();
            using (var cursor = parts.Store.Scan(KeyRange.Between(from, MapKeys.AfterMarkers)))
            {
                while (step.Count < MarkersPerStep && cursor.MoveNext())
                {
                    step.Add(MapKeys.ReadMarker(cursor.Key));
                    from = [.. cursor.Key, 0];
                }
            }

            if (step.Count == 0) return true;
            foreach (var (lineage, leafIndex) in step)
            {
                if (ending.IsCancellationRequested) return false;
                Check(lineage, leafIndex);
                Interlocked.Increment(ref doneLeaves);
            }
        }
    }

    void Check(long lineage, long leafIndex)
    {
        if (findVolume(lineage) is not { } volume) return; // Being deleted: its markers go with it.
        try
        {
            parts.Throttle.WaitAsync().AsTask().GetAwaiter().GetResult(); // What it settles waits in memory for a commit.
            var startedAt = parts.Options.TimeProvider.GetTimestamp();
            var count = volume.CheckSuspectsAsync(leafIndex).AsTask().GetAwaiter().GetResult();
            Interlocked.Add(ref checkedBlocks, count.Checked);
            if (count.Unreadable > 0) Interlocked.Increment(ref skippedLeaves);
            Rest(count.Checked, parts.Options.TimeProvider.GetElapsedTime(startedAt));
        }
        catch (AshlarException)
        {
            Interlocked.Increment(ref skippedLeaves); // It stays suspect; whoever reads it is told what ails it.
        }
    }

    // No more than so many bytes a second, so that a foreground client keeps the disk.
    void Rest(int blocks, TimeSpan taken)
    {
        var due = TimeSpan.FromSeconds((double)blocks * MapLayout.BlockBytes / parts.Options.SweepBytesPerSecond);
        if (due > taken) ending.Token.WaitHandle.WaitOne(due - taken);
    }

    void Report(Exception? cause) => parts.Events.Report(
        PoolEventKind.Recovery,
        cause is null && skippedLeaves == 0 ? PoolEventSeverity.Information : PoolEventSeverity.Warning,
        $"the check of what was being overwritten {(cause is null ? "has ended" : $"stopped at an error ({cause.Message})")}: "
        + $"{doneLeaves} of {totalLeaves} MiB, {checkedBlocks} blocks looked at, {parts.Unverified.Count} unverified, "
        + $"{skippedLeaves} MiB with blocks that cannot be read",
        cause: cause);
}

/// <summary>How far the check after a crash has come.</summary>
/// <param name="IsRunning">Whether it goes on.</param>
/// <param name="TotalLeaves">MiB of volumes that were being overwritten; 0 until they have been counted.</param>
/// <param name="DoneLeaves">Of these, those that have been looked at.</param>
/// <param name="CheckedBlocks">Blocks of 4,096 bytes that were read.</param>
/// <param name="UnverifiedBlocks">Blocks that were taken as they were found.</param>
public sealed record RecoveryProgress(bool IsRunning, long TotalLeaves, long DoneLeaves, long CheckedBlocks, long UnverifiedBlocks);
