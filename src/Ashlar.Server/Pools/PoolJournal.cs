using Ashlar.Transport;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>Writes what a pool has to tell into the log, no more lines of one kind than anybody reads.</summary>
sealed class PoolJournal(string pool, Action<LogEntry> report, TimeProvider timeProvider) : IDisposable
{
    readonly Dictionary<PoolEventKind, ReportLimiter> limiters = Enum.GetValues<PoolEventKind>().ToDictionary(
        kind => kind,
        kind => new ReportLimiter(
            "pool", line => report(new(LogLevel.Warning, LogEvents.LinesLeftOut, line) { Pool = pool }), timeProvider));

    /// <summary>Gets each event before it is written down, which may take as long as the reader of the log does.</summary>
    public Action<PoolEvent>? Listener { get; set; }

    public void Observe(PoolEvent each)
    {
        Listener?.Invoke(each);
        if (!limiters[each.Kind].Admit()) return;
        report(new(LevelOf(each.Severity), NameOf(each.Kind), each.Message)
        {
            Pool = pool,
            Volume = each.Volume is { } volume ? $"{pool}/{volume}" : null,
        });
    }

    /// <summary>Says what was left out at the end.</summary>
    public void Dispose()
    {
        foreach (var limiter in limiters.Values) limiter.Dispose();
    }

    static LogLevel LevelOf(PoolEventSeverity severity) => severity switch
    {
        PoolEventSeverity.Information => LogLevel.Information,
        PoolEventSeverity.Warning => LogLevel.Warning,
        _ => LogLevel.Error,
    };

    static string NameOf(PoolEventKind kind) => kind switch
    {
        PoolEventKind.Recovery => LogEvents.PoolRecovery,
        PoolEventKind.Failed => LogEvents.PoolFailed,
        PoolEventKind.MetadataSpace => LogEvents.PoolMetadataSpace,
        PoolEventKind.DamagedBlock => LogEvents.DamagedBlock,
        PoolEventKind.DamagedMap => LogEvents.DamagedMap,
        PoolEventKind.DamagedSuperblock => LogEvents.DamagedSuperblock,
        PoolEventKind.Unverified => LogEvents.BlocksUnverified,
        PoolEventKind.Repaired => LogEvents.BlockRepaired,
        PoolEventKind.Reclaim => LogEvents.PoolReclaim,
        PoolEventKind.Volume => LogEvents.VolumeChanged,
        PoolEventKind.LeftOut => LogEvents.LinesLeftOut,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No event of that kind has a name."),
    };
}
