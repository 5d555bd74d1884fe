namespace Ashlar.Files;

/// <summary>A storage node and what was learnt of it.</summary>
sealed class KnownNode(IStorageNode node, string failureDomain)
{
    readonly Lock gate = new();
    readonly Ewma latency = new();
    Task? refresh;
    int outstanding;

    public IStorageNode Node => node;

    /// <summary>What it said about itself last; null before it was asked.</summary>
    public NodeHealth? Health { get; private set; }

    /// <summary>When that was.</summary>
    public long HealthAt { get; private set; }

    /// <summary>Since when it has not been there; null while it is.</summary>
    public long? UnavailableSince { get; private set; }

    public bool IsDraining { get; set; }

    /// <summary>When it failed last to take something; null if it never did.</summary>
    public long? AvoidedSince { get; set; }

    /// <summary>Requests of this chunk manager that it has not answered.</summary>
    public int Outstanding => Volatile.Read(ref outstanding);

    /// <summary>What is lost together.</summary>
    public string Domain => failureDomain.Length > 0 ? $"label {failureDomain}"
        : Health is { Device.Length: > 0 } known ? $"device {known.Device}"
        : $"node {node.Id}";

    /// <summary>What a read would take: those that are under way come first.</summary>
    public double ReadCost => (latency.Value.TotalMilliseconds + 0.01) * (1 + Outstanding);

    public void Begin() => Interlocked.Increment(ref outstanding);

    public void End() => Interlocked.Decrement(ref outstanding);

    public void Learn(TimeSpan taken) => latency.Add(taken);

    /// <summary>Asks it about itself; many ask at once.</summary>
    public Task RefreshAsync(TimeProvider clock, TimeSpan limit)
    {
        lock (gate) return refresh is { IsCompleted: false } ? refresh : refresh = AskAsync(clock, limit);
    }

    async Task AskAsync(TimeProvider clock, TimeSpan limit)
    {
        try
        {
            Health = await node.GetHealthAsync(default).AsTask().WaitAsync(limit, clock);
        }
        catch (Exception e)
        {
            // Whatever it is that keeps it from answering: it cannot be used.
            Health = new NodeHealth(NodeState.Unavailable, e.Message, 0, 0, default, default, default, 0, Health?.Device ?? "");
        }

        HealthAt = clock.GetTimestamp();
        UnavailableSince = Health.State != NodeState.Unavailable ? null : UnavailableSince ?? HealthAt;
    }
}
