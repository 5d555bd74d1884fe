using System.Diagnostics;

namespace Ashlar.KeyValue.Bench;

/// <summary>Knows from outside when a store has no background work left: its process neither writes nor computes.</summary>
static class Quiescence
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    const int QuietIntervals = 6;
    const double BusyShare = 0.03;

    /// <summary>Returns how long there was work; the quiet time that proved its end is not counted.</summary>
    public static TimeSpan Wait()
    {
        var start = Stopwatch.GetTimestamp();
        var lastWork = start;
        var before = ProcessUsage.OfThisProcess();
        for (var quiet = 0; quiet < QuietIntervals;)
        {
            Thread.Sleep(Interval);
            var now = ProcessUsage.OfThisProcess();
            var isBusy = now.WriteCallBytes != before.WriteCallBytes ||
                now.CpuSeconds - before.CpuSeconds > BusyShare * Interval.TotalSeconds;
            if (isBusy) lastWork = Stopwatch.GetTimestamp();
            quiet = isBusy ? 0 : quiet + 1;
            before = now;
        }

        return Stopwatch.GetElapsedTime(start, lastWork);
    }
}
