namespace Ashlar.Simulation;

/// <summary>
/// A clock that stands still until <see cref="Advance"/> moves it. Timers that fall due fire on the thread that advances,
/// in the order of their times and, at the same time, in the order in which they were set.
/// </summary>
public sealed class SimulatedClock(DateTimeOffset start) : TimeProvider
{
    readonly Lock gate = new();
    readonly PriorityQueue<(SimulatedTimer Timer, long Setting), (long DueTicks, long Setting)> due = new();
    long elapsedTicks;
    long settings;
    long wallOffsetTicks;
    DateTimeOffset? frozenAt;

    public SimulatedClock()
        : this(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Time since the start.</summary>
    public TimeSpan Elapsed => new(Volatile.Read(ref elapsedTicks));

    /// <summary>How far away the next timer is that will fire; null if none is set.</summary>
    public TimeSpan? UntilNextTimer
    {
        get
        {
            lock (gate)
            {
                while (due.TryPeek(out var entry, out _) && entry.Timer.Setting != entry.Setting) due.Dequeue();
                return due.TryPeek(out _, out var priority) ? new TimeSpan(priority.DueTicks - elapsedTicks) : null;
            }
        }
    }

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>What the clock on the wall says. Timers and timestamps know nothing of it.</summary>
    public override DateTimeOffset GetUtcNow()
    {
        lock (gate) return frozenAt ?? start + new TimeSpan(elapsedTicks + wallOffsetTicks);
    }

    /// <summary>Sets the clock on the wall, as an administrator or a time server does; no time passes.</summary>
    public void JumpWallClock(TimeSpan by)
    {
        lock (gate)
        {
            wallOffsetTicks += by.Ticks;
            if (frozenAt is { } moment) frozenAt = moment + by;
        }
    }

    /// <summary>Stops the clock on the wall, or lets it go on from where it would be.</summary>
    public void FreezeWallClock(bool isFrozen)
    {
        var now = GetUtcNow();
        lock (gate) frozenAt = isFrozen ? now : null;
    }

    public override long GetTimestamp() => Volatile.Read(ref elapsedTicks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimulatedTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock, stopping at each timer that falls due on the way.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var end = GetTimestamp() + by.Ticks;
        while (NextDue(end) is { } timer) timer.Fire();
        lock (gate) elapsedTicks = Math.Max(elapsedTicks, end);
    }

    SimulatedTimer? NextDue(long end)
    {
        lock (gate)
        {
            while (due.TryPeek(out var entry, out var priority) && priority.DueTicks <= end)
            {
                due.Dequeue();
                if (entry.Timer.Setting != entry.Setting) continue; // Changed or disposed meanwhile.
                elapsedTicks = Math.Max(elapsedTicks, priority.DueTicks);
                entry.Timer.Setting = 0;
                if (entry.Timer.Period > TimeSpan.Zero) Set(entry.Timer, entry.Timer.Period);
                return entry.Timer;
            }

            return null;
        }
    }

    void Set(SimulatedTimer timer, TimeSpan after)
    {
        timer.Setting = ++settings;
        due.Enqueue((timer, timer.Setting), (elapsedTicks + after.Ticks, timer.Setting));
    }

    sealed class SimulatedTimer(SimulatedClock clock, TimerCallback callback, object? state) : ITimer
    {
        public long Setting { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.gate)
            {
                Setting = 0;
                Period = period;
                if (dueTime != Timeout.InfiniteTimeSpan) clock.Set(this, dueTime);
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock.gate) Setting = 0;
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
