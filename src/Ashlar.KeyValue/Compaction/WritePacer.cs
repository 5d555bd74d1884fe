namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Turns a time per byte into waits. What was written is owed; time pays for it, wherever it is spent. Less than a millisecond
/// is carried over to the next write: sleeping is not more precise than that. Used by one writer at a time.
/// </summary>
sealed class WritePacer(TimeProvider clock)
{
    static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);
    static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(10);

    double owedBytes;
    long lastVisit = clock.GetTimestamp();

    /// <summary>Counts bytes as written and says how long to wait before asking again; zero: go on.</summary>
    public TimeSpan Owe(long bytes, double secondsPerByte)
    {
        var now = clock.GetTimestamp();
        var elapsed = clock.GetElapsedTime(lastVisit, now);
        lastVisit = now;
        if (secondsPerByte <= 0)
        {
            owedBytes = 0;
            return TimeSpan.Zero;
        }

        // A wait that took too long counts, up to a point: a pause of the writer is no credit.
        var credit = -LongestWait.TotalSeconds / secondsPerByte;
        owedBytes = Math.Max(credit, owedBytes - (elapsed.TotalSeconds / secondsPerByte)) + bytes;
        var seconds = owedBytes * secondsPerByte;
        if (seconds < ShortestWait.TotalSeconds) return TimeSpan.Zero;
        return seconds < LongestWait.TotalSeconds ? TimeSpan.FromSeconds(seconds) : LongestWait;
    }
}
