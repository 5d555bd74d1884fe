using System.Diagnostics;

namespace Ashlar.KeyValue.Bench;

/// <summary>One thread of a workload: a step after the other, each timed.</summary>
abstract class Worker
{
    public LatencyHistogram Latencies { get; } = new();

    public long Operations { get; private set; }

    public long PutBytes { get; protected set; }

    public long? Found { get; protected set; }

    /// <summary>Works until it has done its operations, or a timestamp is passed, or it is told to stop.</summary>
    public void Run(long operations, long deadline, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        while (Operations < operations && !stop.IsCancellationRequested)
        {
            var done = Step();
            if (done == 0) return;
            Operations += done;
            var end = Stopwatch.GetTimestamp();
            Latencies.Add(start, end);
            if (end >= deadline) return;
            start = Pause(end);
        }
    }

    /// <summary>Does one step and says how many operations it was; 0 ends the work.</summary>
    protected abstract int Step();

    /// <summary>When the next step starts; a paced worker waits here.</summary>
    protected virtual long Pause(long now) => now;
}
