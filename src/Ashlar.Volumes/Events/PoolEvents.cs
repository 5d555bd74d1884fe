namespace Ashlar.Volumes;

/// <summary>Hands events to whoever asked for them; each fact once, however often clients run into it. Waits for nobody.</summary>
sealed class PoolEvents(string pool, Action<PoolEvent>? observer) : IAsyncDisposable
{
    const int MaxRemembered = 10_000;

    readonly PoolEventQueue? queue = observer is null ? null : new(pool, observer);
    readonly Lock gate = new();
    readonly HashSet<(PoolEventKind Kind, string Fact)> reported = [];

    public string Pool => pool;

    public void Report(
        PoolEventKind kind, PoolEventSeverity severity, string message, string? volume = null, Exception? cause = null) =>
        queue?.Add(new PoolEvent(kind, severity, $"pool {pool}: {message}", volume, cause));

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

    /// <summary>Waits until the observer has got what was reported before the call.</summary>
    public ValueTask WaitAsync() => queue?.WaitAsync() ?? ValueTask.CompletedTask;

    /// <summary>The same, and reports nothing more.</summary>
    public ValueTask DisposeAsync() => queue?.DisposeAsync() ?? ValueTask.CompletedTask;
}
