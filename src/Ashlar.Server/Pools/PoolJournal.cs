using Ashlar.Transport;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>
/// Writes what a pool has to tell into the log, no more lines of one kind than anybody reads, and remembers what was found damaged:
/// the status names it.
/// </summary>
sealed class PoolJournal(Action<string> report, TimeProvider timeProvider) : IDisposable
{
    const int MaxRemembered = 3;

    readonly Dictionary<PoolEventKind, ReportLimiter> limiters =
        Enum.GetValues<PoolEventKind>().ToDictionary(kind => kind, kind => new ReportLimiter("pool", report, timeProvider));
    readonly Lock gate = new();
    readonly List<string> damage = [];

    /// <summary>The first damages that were met, each with where it is and what ends it.</summary>
    public IReadOnlyList<string> Damage
    {
        get
        {
            lock (gate) return [.. damage];
        }
    }

    public void Observe(PoolEvent each)
    {
        limiters[each.Kind].Report(each.Message);
        if (each.Kind is not (PoolEventKind.DamagedBlock or PoolEventKind.DamagedMap)) return;
        lock (gate)
        {
            if (damage.Count < MaxRemembered) damage.Add(each.Message);
        }
    }

    /// <summary>Says what was left out at the end.</summary>
    public void Dispose()
    {
        foreach (var limiter in limiters.Values) limiter.Dispose();
    }
}
