namespace Ashlar.Planning;

/// <summary>What one set of data needs.</summary>
public sealed record DataNeed
{
    /// <summary>Its name: "orders".</summary>
    public required string Name { get; init; }

    /// <summary>What its queries do.</summary>
    public required IReadOnlyList<QueryPattern> Queries { get; init; }

    /// <summary>What a reader may see.</summary>
    public Consistency Consistency { get; init; }

    /// <summary>What it would mean to lose it.</summary>
    public DataRole Role { get; init; }

    /// <summary>Reads at peak; null if negligible.</summary>
    public Rate? Reads { get; init; }

    /// <summary>Writes at peak; null if negligible.</summary>
    public Rate? Writes { get; init; }

    /// <summary>Bytes of one copy at the end of the retention; 0 if negligible.</summary>
    public long Bytes { get; init; }

    internal decimal ReadsPerSecond => Reads?.PerSecond ?? 0;

    internal decimal WritesPerSecond => Writes?.PerSecond ?? 0;
}

/// <summary>Everything an application keeps, who runs it, and what one database does.</summary>
public sealed record AdviceNeeds
{
    /// <summary>Its sets of data.</summary>
    public required IReadOnlyList<DataNeed> Data { get; init; }

    /// <summary>People who can run databases, on call included.</summary>
    public int Team { get; init; } = 3;

    /// <summary>What one well-tuned relational database on one good machine does, at peak.</summary>
    public OneNode OneNode { get; init; } = new();

    internal void Validate()
    {
        Reckoning.Require(Data.Count > 0, "needs", "there are no sets of data");
        Reckoning.Require(Team is > 0 and <= 100_000, "team", "expected 1 to 100,000");
        Reckoning.Require(OneNode.Reads is { Count: > 0, PeriodSeconds: > 0 }, "node-reads", "more than 0 are needed");
        Reckoning.Require(OneNode.Writes is { Count: > 0, PeriodSeconds: > 0 }, "node-writes", "more than 0 are needed");
        Reckoning.Require(OneNode.Bytes > 0, "node-size", "it is larger than 0");
        foreach (var need in Data)
        {
            Reckoning.Require(need.Queries.Count > 0, "queries", $"'{need.Name}' has none");
            Reckoning.Require(need.Reads is null or { Count: > 0, PeriodSeconds: > 0 }, "reads", "more than 0 are needed");
            Reckoning.Require(need.Writes is null or { Count: > 0, PeriodSeconds: > 0 }, "writes", "more than 0 are needed");
            Reckoning.Require(need.Bytes >= 0, "size", "a size is not negative");
            Reckoning.Require(
                !need.Queries.Contains(QueryPattern.Transaction) || need.Consistency == Consistency.Transactions,
                "consistency",
                $"'{need.Name}' has transactions among its queries: say transactions here, too");
        }
    }
}

/// <summary>What one database on one machine does. Measure your own: schema, hardware and durability change it tenfold.</summary>
public sealed record OneNode
{
    /// <summary>Reads of a few rows by index.</summary>
    public Rate Reads { get; init; } = Rate.OfSecond(100_000);

    /// <summary>Small durable transactions.</summary>
    public Rate Writes { get; init; } = Rate.OfSecond(20_000);

    /// <summary>Bytes that can still be backed up, restored and vacuumed within hours.</summary>
    public long Bytes { get; init; } = 10L << 40;
}
