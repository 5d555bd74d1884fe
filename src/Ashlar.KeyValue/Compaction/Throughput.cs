namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Bytes per second of one kind of work, over about the last ten seconds that were spent on it: older work counts half after
/// each such span. Work that is under way counts once it proves slower than what was known. One thread works, others read.
/// </summary>
sealed class Throughput(TimeProvider clock)
{
    const double SpanSeconds = 10;
    Measured measured = new(0, 0, false, 0, 0);

    /// <summary>0 before anything was measured.</summary>
    public double BytesPerSecond
    {
        get
        {
            var (bytes, seconds, isRunning, running, since) = Volatile.Read(ref measured);
            var known = seconds > 0 ? bytes / seconds : 0;
            if (!isRunning) return known;
            var taken = clock.GetElapsedTime(since).TotalSeconds;
            var seen = seconds + taken > 0 ? (bytes + running) / (seconds + taken) : 0;
            return known > 0 && seen > 0 ? Math.Min(known, seen) : Math.Max(known, seen);
        }
    }

    /// <summary>A piece of work begins.</summary>
    public void Begin(long bytes) =>
        Volatile.Write(ref measured, measured with { IsRunning = true, RunningBytes = bytes, RunningSince = clock.GetTimestamp() });

    /// <summary>The piece of work ended, done or not.</summary>
    public void End(bool isDone)
    {
        var (bytes, seconds, isRunning, running, since) = measured;
        isDone &= isRunning;
        if (isDone)
        {
            bytes += running;
            seconds += clock.GetElapsedTime(since).TotalSeconds;
        }

        var keep = seconds >= SpanSeconds ? 0.5 : 1;
        Volatile.Write(ref measured, new Measured(bytes * keep, seconds * keep, false, 0, 0));
    }

    sealed record Measured(double Bytes, double Seconds, bool IsRunning, long RunningBytes, long RunningSince);
}
