using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// Looks at the space of a pool, at once and every few seconds. When it gets short, and again when it gets shorter, the log has a line and
/// those who have to know are told; when it is short no longer the log says so. That the pool can take more than the file system below
/// has is said long before that, when it begins.
/// </summary>
sealed class SpaceWatch : IAsyncDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    readonly string pool;
    readonly Func<PoolUsage> look;
    readonly Func<PoolSettings> thresholds;
    readonly Action<LogEntry> report;
    readonly Action tell;
    readonly TimeProvider timeProvider;
    readonly long beginning;
    readonly UseHistory history = new();
    readonly ITimer timer;
    readonly Lock gate = new(); // A look may take longer than the interval.
    SpaceShortage shortage;
    bool isLargerThanSpaceBelow;

    /// <summary>Begins to look.</summary>
    /// <param name="pool">Name of the pool.</param>
    /// <param name="look">What it has.</param>
    /// <param name="thresholds">How full is too full.</param>
    /// <param name="report">Gets lines for the log.</param>
    /// <param name="tell">Called when space gets short, or shorter.</param>
    /// <param name="timeProvider">The clock.</param>
    public SpaceWatch(
        string pool, Func<PoolUsage> look, Func<PoolSettings> thresholds, Action<LogEntry> report, Action tell, TimeProvider timeProvider)
    {
        this.pool = pool;
        this.look = look;
        this.thresholds = thresholds;
        this.timeProvider = timeProvider;
        beginning = timeProvider.GetTimestamp();
        this.report = report;
        this.tell = tell;
        Look();
        timer = timeProvider.CreateTimer(static watch => ((SpaceWatch)watch!).Look(), this, Interval, Interval);
    }

    public ValueTask DisposeAsync() => timer.DisposeAsync();

    /// <summary>When the pool will be full if it goes on as in the last hours; null when nobody can tell.</summary>
    public TimeSpan? UntilFull(PoolUsage usage) => history.UntilUsed(usage.FreeBytes);

    /// <summary>Looks now: something has changed.</summary>
    public void Look()
    {
        if (!gate.TryEnter()) return;
        try
        {
            var usage = look();
            history.Take(timeProvider.GetElapsedTime(beginning), usage.AllocatedBytes - usage.TrashBytes);
            var isNews = Compare(usage);
            var before = shortage;
            shortage = SpaceShortages.Of(usage, thresholds(), before);
            if (shortage > before)
            {
                foreach (var warning in PoolWarnings.OfSpace(pool, usage, thresholds(), UntilFull(usage)))
                    report(new(LogLevel.Warning, LogEvents.PoolSpaceShort, warning) { Pool = pool });
                tell();
            }
            else if (isNews)
            {
                report(new(LogLevel.Warning, LogEvents.PoolSpaceShort, PoolWarnings.OfSpaceBelow(pool, usage)!) { Pool = pool });
            }
            else if (shortage == SpaceShortage.None && before != SpaceShortage.None)
            {
                var message = $"pool {pool} has room again: {BinarySize.Format(usage.FreeBytes)}";
                report(new(LogLevel.Information, LogEvents.PoolSpaceEnough, message) { Pool = pool });
            }
        }
        finally
        {
            gate.Exit();
        }
    }

    // Whether the pool has become larger than the space below. Over when there is a little more again, so that it is not said again and
    // again while the two are about the same.
    bool Compare(PoolUsage usage)
    {
        var was = isLargerThanSpaceBelow;
        isLargerThanSpaceBelow = usage.IsLargerThanSpaceBelow
            || (was && usage.FreeSpaceBelowBytes < usage.UnallocatedBytes + (usage.CapacityBytes / 100));
        return isLargerThanSpaceBelow && !was;
    }
}
