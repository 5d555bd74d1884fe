namespace Ashlar.Transport;

/// <summary>A moment at which patience ends, by the clock that only runs forwards.</summary>
readonly struct Deadline
{
    readonly TimeProvider? time; // Null when it never comes.
    readonly long milliseconds;

    Deadline(TimeProvider time, long milliseconds)
    {
        this.time = time;
        this.milliseconds = milliseconds;
    }

    public static Deadline Never => default;

    public bool IsNever => time is null;

    public bool IsOver => time is not null && Now(time) >= milliseconds;

    /// <summary>Never negative, and never more than the timeout of a socket or of a join can be.</summary>
    public int MillisecondsLeft => time is null ? int.MaxValue : (int)Math.Clamp(milliseconds - Now(time), 0, int.MaxValue);

    /// <summary>Milliseconds of a clock that is never set.</summary>
    public static long Now(TimeProvider time) => time.GetTimestamp() / (time.TimestampFrequency / 1000);

    public static Deadline In(TimeSpan span, TimeProvider time) =>
        span == Timeout.InfiniteTimeSpan ? Never : new(time, Now(time) + (long)span.TotalMilliseconds);

    public static Deadline Earlier(Deadline one, Deadline other) =>
        one.IsNever ? other : other.IsNever || one.milliseconds < other.milliseconds ? one : other;
}
