using System.Threading.Channels;
using Ashlar.Blocks.Raid;
using Ashlar.Transport;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// Writes what the RAID set of a pool has to tell into the log. The set waits for nobody, least of all for the reader of a log: what it
/// tells waits here, and what finds no room is left out.
/// </summary>
sealed class RaidJournal : IAsyncDisposable
{
    const int MaxWaiting = 1024;

    readonly Action<LogEntry> report;
    readonly Channel<RaidEvent> waiting = Channel.CreateBounded<RaidEvent>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });
    readonly Dictionary<RaidEventKind, ReportLimiter> limiters;
    readonly Task writing;
    volatile string pool;

    /// <param name="pool">What the pool is called.</param>
    /// <param name="report">Gets lines for the log.</param>
    /// <param name="timeProvider">The clock.</param>
    public RaidJournal(string pool, Action<LogEntry> report, TimeProvider timeProvider)
    {
        this.pool = pool;
        this.report = report;
        limiters = Enum.GetValues<RaidEventKind>().ToDictionary(
            kind => kind,
            _ => new ReportLimiter(
                "pool", line => report(new(LogLevel.Warning, LogEvents.LinesLeftOut, line) { Pool = this.pool }), timeProvider));
        writing = Task.Run(WriteAllAsync);
    }

    /// <summary>What the pool is called, as soon as that is known.</summary>
    public string Pool
    {
        set => pool = value;
    }

    /// <summary>Returns at once.</summary>
    public void Observe(RaidEvent each) => waiting.Writer.TryWrite(each);

    /// <summary>Writes what waits.</summary>
    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await writing;
        foreach (var limiter in limiters.Values) limiter.Dispose();
    }

    async Task WriteAllAsync()
    {
        await foreach (var each in waiting.Reader.ReadAllAsync())
        {
            if (!limiters[each.Kind].Admit()) continue;
            report(new(LevelOf(each.Kind), NameOf(each.Kind), $"pool {pool}: {each.Message}") { Pool = pool });
        }
    }

    static LogLevel LevelOf(RaidEventKind kind) => kind switch
    {
        RaidEventKind.Recovered or RaidEventKind.RebuildStarted or RaidEventKind.RebuildFinished or RaidEventKind.SpareAdded
            or RaidEventKind.DeviceRemoved or RaidEventKind.ScrubFinished => LogLevel.Information,
        _ => LogLevel.Warning,
    };

    static string NameOf(RaidEventKind kind) => kind switch
    {
        RaidEventKind.MemberMissing => LogEvents.RaidMemberMissing,
        RaidEventKind.DeviceIgnored => LogEvents.RaidDeviceIgnored,
        RaidEventKind.MemberFailed => LogEvents.RaidMemberFailed,
        RaidEventKind.Recovered => LogEvents.RaidRecovered,
        RaidEventKind.RebuildStarted => LogEvents.RaidRebuildStarted,
        RaidEventKind.RebuildFinished => LogEvents.RaidRebuildFinished,
        RaidEventKind.RebuildFailed => LogEvents.RaidRebuildFailed,
        RaidEventKind.SpareAdded => LogEvents.RaidSpareAdded,
        RaidEventKind.DeviceRemoved => LogEvents.RaidDeviceRemoved,
        RaidEventKind.Inconsistent => LogEvents.RaidInconsistent,
        RaidEventKind.ScrubFinished => LogEvents.RaidScrubFinished,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No event of that kind has a name."),
    };
}
