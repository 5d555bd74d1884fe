using Ashlar.Transport;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Writes what a pool has to tell into the log, no more lines of one kind than anybody reads.</summary>
sealed class PoolJournal(Action<string> report, TimeProvider timeProvider) : IDisposable
{
    readonly Dictionary<PoolEventKind, ReportLimiter> limiters =
        Enum.GetValues<PoolEventKind>().ToDictionary(kind => kind, kind => new ReportLimiter("pool", report, timeProvider));

    /// <summary>Gets each event before it is written down, which may take as long as the reader of the log does.</summary>
    public Action<PoolEvent>? Listener { get; set; }

    public void Observe(PoolEvent each)
    {
        Listener?.Invoke(each);
        limiters[each.Kind].Report(each.Message);
    }

    /// <summary>Says what was left out at the end.</summary>
    public void Dispose()
    {
        foreach (var limiter in limiters.Values) limiter.Dispose();
    }
}
