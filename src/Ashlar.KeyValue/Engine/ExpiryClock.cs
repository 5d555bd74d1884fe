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
    /// <summary>A jump counts when it was seen at two looks that are so far apart, and at all between them.</summary>
    public static readonly TimeSpan Confirmation = TimeSpan.FromMinutes(10);

    /// <summary>Clocks that are brought to the right time little by little, and what a machine sleeps, may add up to so much.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    readonly TimeProvider clock;
    readonly Lock gate = new();
    TimeSpan believed; // Since 1970.
    long believedAt; // Timestamp.
    TimeSpan ahead; // Of what is believed, at the look that saw the jump first; zero: there was none.
    long seenAt;

    /// <summary>Believes what a clock says.</summary>
    public ExpiryClock(TimeProvider clock)
    {
        this.clock = clock;
        (believed, believedAt) = (Read(), clock.GetTimestamp());
    }

    /// <summary>The time (<see cref="Expiry.Now"/>).</summary>
    public long Now()
    {
        using (gate.Hold())
        {
            var (now, passedAt) = (Read(), clock.GetTimestamp());
            var expected = believed + clock.GetElapsedTime(believedAt, passedAt);
            if (IsBelieved(now - expected, passedAt))
            {
                (believed, believedAt, ahead) = (now, passedAt, TimeSpan.Zero);
                return (long)now.TotalMilliseconds;
            }

            Invariant.Require(expected < now);
            return (long)expected.TotalMilliseconds;
        }
    }

    bool IsBelieved(TimeSpan jump, long at)
    {
        if (jump <= Tolerance) return true;
        if (ahead != TimeSpan.Zero && (jump - ahead).Duration() <= Tolerance) return clock.GetElapsedTime(seenAt, at) >= Confirmation;
        (ahead, seenAt) = (jump, at); // Another one: it is looked at from now on.
        return false;
    }

    TimeSpan Read() => TimeSpan.FromMilliseconds(Expiry.Now(clock));
}
