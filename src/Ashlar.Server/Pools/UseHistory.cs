namespace Ashlar.Server;

/// <summary>
/// What a pool occupied in the last hours, a figure a minute, and when it will be full if that goes on. The slope is the median of the
/// slopes between all pairs (Theil and Sen): one large volume that comes or goes does not bend it.
/// </summary>
sealed class UseHistory
{
    /// <summary>How far apart figures are.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Less than that says nothing.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromMinutes(10);

    /// <summary>Farther than that nobody sees.</summary>
    public static readonly TimeSpan Farthest = TimeSpan.FromDays(3650);

    const int MaxFigures = 240; // Four hours.

    readonly Lock gate = new();
    readonly Queue<(TimeSpan At, long Bytes)> figures = new();
    double? bytesPerSecond;

    /// <summary>Takes a figure, unless the last one was taken less than a minute ago.</summary>
    /// <param name="at">Time that has passed since some beginning: a clock that is set has no part in it.</param>
    /// <param name="allocatedBytes">What the pool occupies then.</param>
    public void Take(TimeSpan at, long allocatedBytes)
    {
        lock (gate)
        {
            if (figures.Count > 0 && at - figures.Last().At < Interval) return;
            if (figures.Count == MaxFigures) figures.Dequeue();
            figures.Enqueue((at, allocatedBytes));
            bytesPerSecond = figures.Last().At - figures.Peek().At >= Least ? Slope([.. figures]) : null;
        }
    }

    /// <summary>When so much will be used up; null when nobody can tell, or it does not get less.</summary>
    public TimeSpan? UntilUsed(long freeBytes)
    {
        double? rate;
        lock (gate) rate = bytesPerSecond;
        if (rate is not > 0) return null;
        var seconds = freeBytes / rate.Value;
        return seconds < Farthest.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;
    }

    static double Slope((TimeSpan At, long Bytes)[] all)
    {
        var slopes = new double[all.Length * (all.Length - 1) / 2];
        var count = 0;
        for (var i = 0; i < all.Length; i++)
            for (var j = i + 1; j < all.Length; j++)
                slopes[count++] = (all[j].Bytes - all[i].Bytes) / (all[j].At - all[i].At).TotalSeconds;
        Array.Sort(slopes);
        return slopes.Length % 2 == 1 ? slopes[slopes.Length / 2] : (slopes[(slopes.Length / 2) - 1] + slopes[slopes.Length / 2]) / 2;
    }
}
