using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Hands events to whoever asked for them; each fact once, however often clients run into it.</summary>
sealed class PoolEvents(string pool, Action<PoolEvent>? observer)
{
    // Beyond it damage is counted but no longer listed: by then the disk is the message.
    const int MaxRemembered = 10_000;

    readonly Lock gate = new();
    readonly HashSet<(PoolEventKind Kind, string Fact)> reported = [];

    public void Report(
        PoolEventKind kind, PoolEventSeverity severity, string message, string? volume = null, Exception? cause = null)
    {
        try
        {
            observer?.Invoke(new PoolEvent(kind, severity, $"pool {pool}: {message}", volume, cause));
        }
        catch (Exception e) when (e is not InvariantException)
        {
            // Whoever reads the log has his own troubles; the pool goes on.
        }
    }

    /// <summary>Reports unless the same fact, such as "volume/block", was reported before.</summary>
    public void ReportOnce(
        PoolEventKind kind,
        PoolEventSeverity severity,
        string fact,
        string message,
        string? volume = null,
        Exception? cause = null)
    {
        lock (gate)
        {
            if (reported.Count >= MaxRemembered || !reported.Add((kind, fact))) return;
        }

        Report(kind, severity, message, volume, cause);
    }

    /// <summary>A fact no longer holds: the next time it does it is reported again.</summary>
    public void Forget(PoolEventKind kind, string fact)
    {
        lock (gate) reported.Remove((kind, fact));
    }
}
