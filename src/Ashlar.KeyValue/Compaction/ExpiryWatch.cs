using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Has merges looked for when enough of a table has expired for one: on a store that nobody writes to nothing else would. Where writers do
/// the work of the background, they look themselves.
/// </summary>
sealed class ExpiryWatch : IDisposable
{
    static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>The clock may be set meanwhile.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>Between looks at a jump, which counts only if it was there at all of them.</summary>
    static readonly TimeSpan WhileJumping = TimeSpan.FromMinutes(1);

    readonly StoreState state;
    readonly ExpiryClock clock;
    readonly bool isUsed;
    readonly Lock gate = new();
    readonly ITimer timer;

    /// <summary>Prepares it.</summary>
    /// <param name="engine">The store.</param>
    /// <param name="look">Has merges looked for.</param>
    public ExpiryWatch(EngineContext engine, Action look)
    {
        (state, clock) = (engine.State, engine.ExpiryClock);
        isUsed = !engine.Options.BackgroundInline && !engine.Options.ReadOnly;
        timer = WorkerClock.For(engine.Options.TimeProvider).CreateTimer(
            _ =>
            {
                Follow();
                look(); // Behind it: what expires between the two is met, as it would not be the other way round.
            },
            null,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    /// <summary>The tables may have changed.</summary>
    public void Follow()
    {
        if (!isUsed) return;
        try
        {
            using var held = gate.Hold(); // The last has seen the newest tables.
            using var read = state.Read();
            var now = clock.Now();
            var next = read.Version.Tables.All().Min(table => NextMoment(table.Info, now));
            var isJumping = clock.SeesJump;
            var wait = next is { } moment ? Bounded(moment - now, isJumping ? WhileJumping : Longest)
                : isJumping ? WhileJumping
                : Timeout.InfiniteTimeSpan;
            timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The store is being closed.
        }
    }

    /// <summary>It does not look again; a look that has begun goes on.</summary>
    public void Dispose() => timer.Dispose();

    static TimeSpan Bounded(long milliseconds, TimeSpan longest)
    {
        var wait = TimeSpan.FromMilliseconds(Math.Min(milliseconds, (long)longest.TotalMilliseconds));
        return wait > Shortest ? wait : Shortest;
    }

    static long? NextMoment(TableInfo info, long now)
    {
        foreach (var moment in info.Expiry.Moments)
        {
            if (moment > now && CompactionPicker.HasMuchExpired(info, moment)) return moment;
        }

        return null;
    }
}
