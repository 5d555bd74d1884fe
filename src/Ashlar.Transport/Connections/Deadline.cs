namespace Ashlar.Transport;

/// <summary>A moment at which patience ends, by the clock that only runs forwards.</summary>
readonly struct Deadline
{
    readonly long tickMilliseconds;

    Deadline(long tickMilliseconds) => this.tickMilliseconds = tickMilliseconds;

    public static Deadline Never => new(long.MaxValue);

    public bool IsNever => tickMilliseconds == long.MaxValue;

    public bool IsOver => Environment.TickCount64 >= tickMilliseconds;

    /// <summary>Never negative, and never more than the timeout of a socket or of a join can be.</summary>
    public int MillisecondsLeft => (int)Math.Clamp(tickMilliseconds - Environment.TickCount64, 0, int.MaxValue);

    public static Deadline In(TimeSpan time) =>
        time == Timeout.InfiniteTimeSpan ? Never : new(Environment.TickCount64 + (long)time.TotalMilliseconds);

    public static Deadline Earlier(Deadline one, Deadline other) => one.tickMilliseconds < other.tickMilliseconds ? one : other;
}
