using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// Looks at the space of a pool every few seconds. When it gets short, and again when it gets shorter, the log has a line and those
/// who have to know are told; when it is short no longer the log says so.
/// </summary>
sealed class SpaceWatch : IAsyncDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    readonly string pool;
    readonly Func<PoolUsage> look;
    readonly Action<LogEntry> report;
    readonly Action tell;
    readonly ITimer timer;
    readonly Lock gate = new(); // A look may take longer than the interval.
    SpaceShortage shortage;

    /// <summary>Begins to look.</summary>
    /// <param name="pool">Name of the pool.</param>
    /// <param name="look">What it has.</param>
    /// <param name="report">Gets lines for the log.</param>
    /// <param name="tell">Called when space gets short, or shorter.</param>
    /// <param name="timeProvider">The clock.</param>
    public SpaceWatch(string pool, Func<PoolUsage> look, Action<LogEntry> report, Action tell, TimeProvider timeProvider)
    {
        this.pool = pool;
        this.look = look;
        this.report = report;
        this.tell = tell;
        timer = timeProvider.CreateTimer(static watch => ((SpaceWatch)watch!).Look(), this, Interval, Interval);
    }

    public ValueTask DisposeAsync() => timer.DisposeAsync();

    void Look()
    {
        if (!gate.TryEnter()) return;
        try
        {
            var usage = look();
            var before = shortage;
            shortage = SpaceShortages.Of(usage, before);
            if (shortage > before)
            {
                foreach (var warning in PoolWarnings.OfSpace(pool, usage))
                    report(new(LogLevel.Warning, LogEvents.PoolSpaceShort, warning) { Pool = pool });
                tell();
            }
            else if (shortage == SpaceShortage.None && before != SpaceShortage.None)
            {
                var message = $"pool {pool} has room again: {usage.FreeBytes >> 20} MiB";
                report(new(LogLevel.Information, LogEvents.PoolSpaceEnough, message) { Pool = pool });
            }
        }
        finally
        {
            gate.Exit();
        }
    }
}
