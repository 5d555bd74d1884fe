using System.Diagnostics;
using System.Runtime;

namespace Ashlar.KeyValue.Bench;

/// <summary>
/// Knows from outside when a store has no background work left: its process neither writes nor computes. The compiler's threads do not
/// count; they go on for a while after the first work of a process.
/// </summary>
static class Quiescence
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    const int QuietIntervals = 6;

    /// <summary>Returns how long there was work; the quiet time that proved its end is not counted.</summary>
    public static TimeSpan Wait()
    {
        var start = Stopwatch.GetTimestamp();
        var lastWork = start;
        var before = Take();
        for (var quiet = 0; quiet < QuietIntervals;)
        {
            Thread.Sleep(Interval);
            var now = Take();
            var isBusy = now.IsBusySince(before);
            if (isBusy) lastWork = Stopwatch.GetTimestamp();
            quiet = isBusy ? 0 : quiet + 1;
            before = now;
        }

        return Stopwatch.GetElapsedTime(start, lastWork);
    }

    static ProcessUsage Take()
    {
        var usage = ProcessUsage.OfThisProcess();
        return usage with { CpuSeconds = usage.CpuSeconds - JitInfo.GetCompilationTime().TotalSeconds };
    }
}
