namespace Ashlar.Simulation;

/// <summary>
/// A clock that somebody sets all the time, by an hour or a year, forwards and backwards, or stops, also between two questions of one
/// operation. Only what hangs on the wall is touched: timers and timestamps go by the time that passes. It remembers what it has said.
/// </summary>
/// <param name="seed">Chooses the moments.</param>
public sealed class JumpyClock(ulong seed) : TimeProvider
{
    const int OneIn = 6;
    static readonly TimeSpan Hour = TimeSpan.FromHours(1), Year = TimeSpan.FromDays(365);

    readonly SimulatedClock inner = new();
    readonly SeededRandom random = SeededRandom.For(seed, "clock");
    readonly Lock gate = new();
    TimeSpan offset;
    bool isFrozen;

    /// <summary>Whether it is left alone.</summary>
    public bool IsCalm { get; set; }

    /// <summary>How often it was set or stopped.</summary>
    public int Jumps { get; private set; }

    /// <summary>The earliest that it has said since <see cref="Watch"/>; what it says now if it was not asked.</summary>
    public DateTimeOffset Earliest { get; private set; }

    /// <summary>The latest that it has said since <see cref="Watch"/>.</summary>
    public DateTimeOffset Latest { get; private set; }

    /// <summary>The latest that it has ever said.</summary>
    public DateTimeOffset LatestEver { get; private set; } = new SimulatedClock().GetUtcNow();

    /// <summary>Time that has passed.</summary>
    public TimeSpan Elapsed => inner.Elapsed;

    /// <inheritdoc />
    public override long TimestampFrequency => inner.TimestampFrequency;

    /// <inheritdoc />
    public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

    /// <inheritdoc />
    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
        {
            if (!IsCalm && random.OneIn(OneIn)) Jump();
            var now = inner.GetUtcNow();
            if (now < Earliest) Earliest = now;
            if (now > Latest) Latest = now;
            if (now > LatestEver) LatestEver = now;
            return now;
        }
    }

    /// <inheritdoc />
    public override long GetTimestamp() => inner.GetTimestamp();

    /// <inheritdoc />
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(callback, state, dueTime, period);

    /// <summary>Lets time pass.</summary>
    public void Advance(TimeSpan by) => inner.Advance(by);

    /// <summary>Forgets what was said before.</summary>
    public void Watch()
    {
        lock (gate) Earliest = Latest = inner.GetUtcNow();
    }

    void Jump()
    {
        Jumps++;
        if (random.OneIn(6))
        {
            isFrozen = !isFrozen;
            inner.FreezeWallClock(isFrozen);
            return;
        }

        var by = random.OneIn(2) ? Hour : Year;
        // It does not run away.
        if (offset > 3 * Year || (offset > -3 * Year && random.OneIn(2))) by = -by;
        offset += by;
        inner.JumpWallClock(by);
    }
}
