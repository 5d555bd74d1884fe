using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>
/// Lets through a few lines at once and then one now and then, and says how many it left out: whoever can connect could
/// else fill the disk with the log of it. Any thread.
/// </summary>
/// <param name="name">Whose lines they are.</param>
/// <param name="report">Where lines go.</param>
/// <param name="time">The clock.</param>
public sealed class ReportLimiter(string name, Action<string> report, TimeProvider time) : IDisposable
{
    /// <summary>Lines that are let through at once after a quiet time.</summary>
    public const int Burst = 50;

    /// <summary>In how much time one more line is let through, and after which the lines left out are counted.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    readonly Lock gate = new();
    double allowed = Burst;
    long countedAt = time.GetTimestamp();
    int leftOut;
    ITimer? summary;

    /// <summary>Reports a line, or counts it.</summary>
    public void Report(string line)
    {
        if (Admit()) report(line);
    }

    /// <summary>Whether one more line may be written; one that may not is counted.</summary>
    public bool Admit()
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            allowed = Math.Min(Burst, allowed + (time.GetElapsedTime(countedAt, now) / Interval));
            countedAt = now;
            if (allowed < 1)
            {
                leftOut++;
                summary ??= WorkerClock.For(time).CreateTimer(_ => Summarize(), null, Interval, Timeout.InfiniteTimeSpan);
                return false;
            }
            allowed--;
            return true;
        }
    }

    /// <summary>Says how many lines were left out, if any were.</summary>
    public void Dispose() => Summarize();

    void Summarize()
    {
        int count;
        lock (gate)
        {
            count = leftOut;
            leftOut = 0;
            summary?.Dispose();
            summary = null;
        }
        if (count > 0) report($"{name}: {count} more lines like these were left out");
    }
}
