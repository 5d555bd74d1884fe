namespace Ashlar.Files;

/// <summary>What something takes, as of late: an average in which each newer value counts for a fifth. Any thread.</summary>
sealed class Ewma
{
    const double Weight = 0.2;

    readonly Lock gate = new();
    double milliseconds;
    bool hasValue;

    public TimeSpan Value
    {
        get
        {
            lock (gate) return TimeSpan.FromMilliseconds(milliseconds);
        }
    }

    public void Add(TimeSpan taken)
    {
        lock (gate)
        {
            milliseconds = hasValue ? milliseconds + (Weight * (taken.TotalMilliseconds - milliseconds)) : taken.TotalMilliseconds;
            hasValue = true;
        }
    }
}
