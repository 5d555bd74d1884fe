namespace Ashlar.Files;

/// <summary>
/// When a read is made a second time, on another node: after what 95 of 100 take (Dean and Barroso, "The Tail at Scale", 2013), and for
/// only so many of a hundred: a system that is slow as a whole must not get more to do. Any thread.
/// </summary>
sealed class HedgeBudget(double percent, TimeSpan minDelay)
{
    const int Samples = 256, RefreshEvery = 16, MaxTokens = 10;

    // Before anything is known.
    static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);

    readonly Lock gate = new();
    readonly TimeSpan[] taken = new TimeSpan[Samples];
    long count; // An int would be over after two days of a busy gateway.
    double tokens = 1;

    /// <summary>How long the first read has to itself.</summary>
    public TimeSpan Delay { get; private set; } = Max(FirstDelay, minDelay);

    /// <summary>A read has begun.</summary>
    public void Begin()
    {
        lock (gate) tokens = Math.Min(MaxTokens, tokens + (percent / 100));
    }

    /// <summary>Whether one may be made a second time.</summary>
    public bool TryTake()
    {
        lock (gate)
        {
            if (tokens < 1) return false;
            tokens--;
            return true;
        }
    }

    /// <summary>A node has answered.</summary>
    public void Learn(TimeSpan time)
    {
        lock (gate)
        {
            taken[count++ % Samples] = time;
            if (count % RefreshEvery != 0) return;
            var sorted = taken[..(int)Math.Min(count, Samples)];
            Array.Sort(sorted);
            Delay = Max(sorted[sorted.Length * 95 / 100], minDelay);
        }
    }

    static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
