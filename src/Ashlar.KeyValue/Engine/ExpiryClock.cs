using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Engine;

/// <summary>
/// The time by which what has expired may be taken away for good. It is the clock's, unless that has jumped ahead of the time that has
/// passed: then the jump counts once it was seen for as long as <see cref="Confirmation"/>, and until then the time that has passed does.
/// So a clock that is wrong for a moment costs nothing that it is not right about.
/// </summary>
/// <remarks>
/// Invariant: it is never later than what the clock says at that look, so that nothing goes before readers find it expired. What the clock
/// says first, when the store is opened, is believed: nobody knows how long it was closed. A clock that is set back is believed at once.
/// </remarks>
sealed class ExpiryClock
{
    /// <summary>A jump counts when it, or a larger one, was seen at two looks that are so far apart, and at all between them.</summary>
    public static readonly TimeSpan Confirmation = TimeSpan.FromMinutes(10);

    /// <summary>Clocks that are brought to the right time little by little, and what a machine sleeps, may add up to so much.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    readonly TimeProvider clock;
    readonly Lock gate = new();
    TimeSpan believed; // Since 1970.
    long believedAt; // Timestamp.
    TimeSpan ahead; // Of the time that has passed: the least since the jump was seen first; zero: there is none.
    long seenAt;

    /// <summary>Believes what a clock says.</summary>
    public ExpiryClock(TimeProvider clock)
    {
        this.clock = clock;
        (believed, believedAt) = (Read(), clock.GetTimestamp());
    }

    /// <summary>Whether a jump was there at the last look and does not count yet: who waits for it has to look again.</summary>
    public bool SeesJump
    {
        get
        {
            using (gate.Hold()) return ahead != TimeSpan.Zero;
        }
    }

    /// <summary>The time (<see cref="Expiry.Now"/>).</summary>
    public long Now()
    {
        using (gate.Hold())
        {
            var (now, at) = (Read(), clock.GetTimestamp());
            var time = believed + clock.GetElapsedTime(believedAt, at);
            var counted = Counted(now - time, at);
            if (counted != TimeSpan.Zero)
            {
                time += counted;
                (believed, believedAt) = (time, at);
            }

            Invariant.Require(time <= now);
            return (long)time.TotalMilliseconds;
        }
    }

    // What counts of a jump by now. A larger one confirms a smaller one: a machine that sleeps often would have none confirmed otherwise.
    TimeSpan Counted(TimeSpan jump, long at)
    {
        if (jump <= Tolerance)
        {
            ahead = TimeSpan.Zero;
            return jump;
        }

        if (ahead == TimeSpan.Zero || jump < ahead - Tolerance)
        {
            (ahead, seenAt) = (jump, at);
            return TimeSpan.Zero;
        }

        if (jump < ahead) ahead = jump;
        if (clock.GetElapsedTime(seenAt, at) < Confirmation) return TimeSpan.Zero;
        var counted = jump - ahead <= Tolerance ? jump : ahead;
        (ahead, seenAt) = (jump - counted, at); // The rest is looked at from now on.
        return counted;
    }

    TimeSpan Read() => TimeSpan.FromMilliseconds(Expiry.Now(clock));
}
