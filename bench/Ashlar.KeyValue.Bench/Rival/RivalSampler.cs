using System.Diagnostics;
using System.Globalization;

namespace Ashlar.KeyValue.Bench;

/// <summary>
/// Watches a process from outside: what it has used, also when it ended a moment ago, and when it last worked. db_bench waits at
/// least five seconds for background work, which says nothing about when that ended.
/// </summary>
sealed class RivalSampler : IDisposable
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    readonly Lock gate = new();
    readonly string id;
    readonly Timer timer;
    RivalSample last;
    long lastWork = Stopwatch.GetTimestamp();

    public RivalSampler(int processId)
    {
        id = processId.ToString(CultureInfo.InvariantCulture);
        timer = new Timer(_ => Sample(), null, TimeSpan.Zero, Interval);
    }

    /// <summary>When the process last wrote or computed.</summary>
    public long LastWorkTimestamp
    {
        get
        {
            lock (gate) return lastWork;
        }
    }

    public RivalSample Sample()
    {
        lock (gate)
        {
            var usage = ProcessUsage.Of(id);
            if (usage == default) return last;
            if (usage.IsBusySince(last.Usage)) lastWork = Stopwatch.GetTimestamp();
            var resident = ProcessUsage.ResidentBytes(id);
            // A process that is ending has given its memory back.
            return last = resident > 0 ? new(usage, ProcessUsage.PeakResidentBytes(id), resident) : last with { Usage = usage };
        }
    }

    public void Dispose() => timer.Dispose();
}

/// <summary>What a process had used at one moment.</summary>
readonly record struct RivalSample(ProcessUsage Usage, long PeakResidentBytes, long ResidentBytes);
