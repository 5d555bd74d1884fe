using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Ashlar.KeyValue.Errors;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

// Those who wait for background work.
sealed partial class BackgroundLanes
{
    /// <summary>Waits as long as a lane stands in the way: for one more attempt of it; then its failure is thrown.</summary>
    /// <param name="findLane">Which lane has to get on; null if none. Asked again after each attempt of either.</param>
    public void WaitFor(Func<BackgroundLane?> findLane)
    {
        if (isInline)
        {
            if (findLane() is not null) RunInline();
            return;
        }

        using (Uninterrupted.Enter(gate))
        {
            // An attempt may have failed before anybody waited for it; without another one nothing would ever wake us.
            BackgroundLane? waitsFor = null;
            var wait = default(BackgroundWait);
            while (findLane() is { } lane)
            {
                if (lane != waitsFor)
                {
                    (waitsFor, wait) = (lane, new BackgroundWait(lane));
                    lane.Retry();
                    Monitor.PulseAll(gate);
                }

                WaitForAttempt(lane, ref wait);
            }
        }

        Uninterrupted.Restore();
    }

    /// <summary>Waits a moment; false, at once, if the work does not go on and so will not catch up either.</summary>
    public bool WaitBriefly(TimeSpan time)
    {
        if (isInline) return TryMergeInline();
        using (Uninterrupted.Enter(gate))
        {
            if (isStopping || poison.IsSet || Flushes.Failure is not null || Merges.Failure is not null) return false;
            Uninterrupted.Wait(gate, TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds)));
        }

        Uninterrupted.Restore();
        return true;
    }

    /// <summary>Waits until everything was tried that there is to do.</summary>
    public void WaitUntilIdle()
    {
        if (isInline) return;
        using (Uninterrupted.Enter(gate))
        {
            Flushes.Retry();
            Merges.Retry();
            Monitor.PulseAll(gate);
            while (!isStopping && (Flushes.HasWork || Flushes.IsWorking || Merges.HasWork || Merges.IsWorking)) Uninterrupted.Wait(gate);
        }

        Uninterrupted.Restore();
    }

    /// <summary>Waits for space that is free late.</summary>
    public void WaitForFreedSpace(int number)
    {
        if (isInline) return;
        using (Uninterrupted.Enter(gate)) Pause(FreedSpace.Wait(number));
        Uninterrupted.Restore();
    }

    // To its end, whoever wakes others meanwhile.
    void Pause(TimeSpan time)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!isStopping && !poison.IsSet && time - Stopwatch.GetElapsedTime(begun) is var left && left > TimeSpan.Zero)
            Uninterrupted.Wait(gate, left);
    }

    void WaitForAttempt(BackgroundLane lane, ref BackgroundWait wait)
    {
        poison.ThrowIfSet();
        ClosedStore.ThrowIf(isStopping);
        if (lane.Failure is not null && lane.Attempts > wait.SeenAttempts)
        {
            if (!IsDiskFull(lane.Failure)) ExceptionDispatchInfo.Throw(lane.Failure);
            // On a full disk the other kind of work may hold the space now, and give it back, or go on with what this one gave back.
            var other = lane == Flushes ? Merges : Flushes;
            if (!other.HasWork && !other.IsWorking)
            {
                if (!wait.MayRetry(Flushes.Done + Merges.Done)) ExceptionDispatchInfo.Throw(lane.Failure);
                var hasHope = !wait.IsLast && !haveMergesGivenUp;
                if (hasHope) Pause(wait.Pause);
                poison.ThrowIfSet();
                ClosedStore.ThrowIf(isStopping);
                if (IsDiskFull(other.Failure) && hasHope)
                {
                    other.Retry();
                }
                else
                {
                    haveMergesGivenUp |= wait.IsLast && IsDiskFull(Merges.Failure);
                    wait.SeenAttempts = lane.Attempts;
                    lane.Retry();
                }

                Monitor.PulseAll(gate);
            }
        }

        Uninterrupted.Wait(gate);
    }
}
