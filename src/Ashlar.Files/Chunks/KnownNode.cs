namespace Ashlar.Files;

/// <summary>A storage node and what was learnt of it.</summary>
sealed class KnownNode(IStorageNode node)
{
    readonly Lock gate = new();
    volatile IStorageNode node = node;
    readonly Ewma latency = new();
    Task? refresh;
    int outstanding;
    volatile bool wasMet;

    public NodeId Id { get; } = node.Id;

    public IStorageNode Node => node;

    /// <summary>Whether it was opened.</summary>
    public bool IsOpen => node is not AbsentNode;

    /// <summary>Whether the store counts on it: one that does not belong to it any more is read from only.</summary>
    public bool IsMember { get; set; }

    /// <summary>What somebody called that which is lost together; empty if nobody did.</summary>
    public string Label { get; set; } = "";

    /// <summary>What it said about itself last; null before it was asked.</summary>
    public NodeHealth? Health { get; private set; }

    /// <summary>When that was.</summary>
    public long? HealthAt { get; private set; }

    /// <summary>Since when it has not been there, or took nothing because a flush has failed; null while it is in order.</summary>
    public long? DownSince { get; private set; }

    public bool IsDraining { get; set; }

    /// <summary>When it failed last to take something; null if it never did.</summary>
    public long? AvoidedSince { get; set; }

    /// <summary>Requests of this chunk manager that it has not answered.</summary>
    public int Outstanding => Volatile.Read(ref outstanding);

    /// <summary>What is lost together.</summary>
    public string Domain => Label.Length > 0 ? $"label {Label}"
        : Health is { Device.Length: > 0 } known ? $"device {known.Device}"
        : $"node {Id}";

    /// <summary>Whether that is known: a node that was never open since the program began may share a disk with any other.</summary>
    public bool IsDomainKnown => Label.Length > 0 || wasMet;

    /// <summary>What a read would take: those that are under way come first.</summary>
    public double ReadCost => (latency.Value.TotalMilliseconds + 0.01) * (1 + Outstanding);

    public void Begin() => Interlocked.Increment(ref outstanding);

    public void End() => Interlocked.Decrement(ref outstanding);

    public void Learn(TimeSpan taken) => latency.Add(taken);

    /// <summary>Puts another in its place: the one that was opened, or none.</summary>
    public void Become(IStorageNode other)
    {
        lock (gate)
        {
            node = other;
            refresh = null;
            HealthAt = null;
            if (IsOpen) DownSince = null;
        }
    }

    /// <summary>Asks it about itself; many ask at once.</summary>
    public Task RefreshAsync(TimeProvider clock)
    {
        lock (gate) return refresh is { IsCompleted: false } ? refresh : refresh = AskAsync(node, clock);
    }

    async Task AskAsync(IStorageNode asked, TimeProvider clock)
    {
        NodeHealth health;
        try
        {
            health = await asked.GetHealthAsync(default);
            wasMet = true;
        }
        catch (Exception e)
        {
            // Whatever it is that keeps it from answering: it cannot be used.
            health = new NodeHealth(NodeState.Unavailable, e.Message, 0, 0, default, default, default, 0, Health?.Device ?? "");
        }

        lock (gate)
        {
            if (asked != node) return; // Another one was put in its place meanwhile.
            Health = health;
            HealthAt = clock.GetTimestamp();
            DownSince = health.State == NodeState.Up ? null : DownSince ?? HealthAt;
        }
    }
}
