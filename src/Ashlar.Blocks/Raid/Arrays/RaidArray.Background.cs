using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <remarks>
/// One thing at a time goes on in the background: first members are rebuilt, then the set is scrubbed. Both keep out of the way of
/// requests and remember how far they have come.
/// </remarks>
public sealed partial class RaidArray
{
    readonly Lock backgroundGate = new();
    bool isBackgroundWanted;
    bool isBackgroundRunning;
    bool isStopping;
    SharedCompletion backgroundEnd = new();
    long lastForeground;
    double bytesPerSecond;
    ITimer? retry;

    /// <summary>Waits until nothing goes on in the background any more: no member is rebuilt, no scrub runs.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WaitForBackgroundAsync()
    {
        while (true)
        {
            SharedCompletion end;
            lock (backgroundGate)
            {
                if (!isBackgroundRunning) return;
                end = backgroundEnd;
            }

            await end.Task.ConfigureAwait(false);
        }
    }

    void NoteForeground() => Volatile.Write(ref lastForeground, Environment.TickCount64);

    void WakeBackground()
    {
        lock (backgroundGate)
        {
            isBackgroundWanted = true;
            if (isBackgroundRunning || isStopping) return;
            isBackgroundRunning = true;
            backgroundEnd = new SharedCompletion();
        }

        WorkerThreads.Completions.Post(static array => _ = array.RunBackgroundAsync().AsTask(), this);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask StopBackgroundAsync()
    {
        lock (backgroundGate)
        {
            isStopping = true;
            retry?.Dispose();
        }

        await WaitForBackgroundAsync().ConfigureAwait(false);
    }

    // What could not be calculated may be readable after all by then, or have been written anew.
    void RetryLater()
    {
        lock (backgroundGate)
        {
            if (isStopping) return;
            retry ??= options.TimeProvider.CreateTimer(
                static array => ((RaidArray)array!).WakeBackground(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            retry.Change(options.RetryInterval, Timeout.InfiniteTimeSpan);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RunBackgroundAsync()
    {
        while (true)
        {
            lock (backgroundGate)
            {
                if (!isBackgroundWanted || isStopping)
                {
                    if (isStopping) EndScrub("the set was closed");
                    isBackgroundRunning = false;
                    backgroundEnd.SetResult();
                    return;
                }

                isBackgroundWanted = false;
            }

            await TryAsync(PlaceSparesAsync()).ConfigureAwait(false);
            foreach (var member in set.Members)
                if (member.IsPresent && !member.IsUsable && !set.IsLost) await TryAsync(RebuildAsync(member)).ConfigureAwait(false);
            TakeUpReplacements();
            await TryAsync(ReplaceWantedAsync()).ConfigureAwait(false);
            await TryAsync(ScrubAsync()).ConfigureAwait(false);
        }
    }

    // A failure ends one piece of work, which is reported; the set, and the other work, go on.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask TryAsync(ValueTask work)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (Exception e) when (e is BlockDeviceException or CorruptDataException)
        {
            Report(RaidEventKind.RebuildFailed, $"work in the background has ended: {e.Message}", null, e);
        }
    }

    bool ShouldStop => Volatile.Read(ref isStopping) || set.IsLost;

    // Keeps to a speed: after each piece it waits as long as the piece should have taken.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask PaceAsync(long bytes, long startedAt)
    {
        var isBusy = Environment.TickCount64 - Volatile.Read(ref lastForeground) < 100;
        var (limit, busyLimit) = (options.BackgroundBytesPerSecond, options.BusyBytesPerSecond);
        if (isBusy && busyLimit > 0) limit = limit == 0 ? busyLimit : Math.Min(limit, busyLimit);
        if (limit > 0)
        {
            var wait = TimeSpan.FromSeconds((double)bytes / limit) - options.TimeProvider.GetElapsedTime(startedAt);
            if (wait > TimeSpan.FromMilliseconds(1)) await PauseAsync(wait).ConfigureAwait(false);
        }

        var seconds = options.TimeProvider.GetElapsedTime(startedAt).TotalSeconds;
        if (seconds <= 0) return;
        var now = bytes / seconds;
        bytesPerSecond = bytesPerSecond == 0 ? now : (0.98 * bytesPerSecond) + (0.02 * now);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask PauseAsync(TimeSpan wait)
    {
        var over = new SharedCompletion();
        using var timer = options.TimeProvider.CreateTimer(
            static state => ((SharedCompletion)state!).SetResult(), over, wait, Timeout.InfiniteTimeSpan);
        await over.Task.ConfigureAwait(false);
    }

    TimeSpan? TimeLeft(long bytes) =>
        bytesPerSecond > 0 ? TimeSpan.FromSeconds(Math.Min(bytes / bytesPerSecond, TimeSpan.MaxValue.TotalSeconds / 2)) : null;
}
