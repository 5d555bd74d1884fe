namespace Ashlar.Planning;

/// <summary>What is known of a kind of store, whatever is asked of it.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Name">For people: "key-value store".</param>
/// <param name="Fits">How well each pattern is served: 3 is what it is made for, 2 well, 1 with effort, absent not at all.</param>
/// <param name="Consistency">The strongest that it gives.</param>
/// <param name="MayBeRecord">Whether the only copy of the truth may be there.</param>
/// <param name="ScalesOut">Whether more nodes take more writes without work of the application.</param>
/// <param name="People">How many it takes to run it well; 1 is least.</param>
sealed record StoreProfile(
    StoreKind Kind,
    string Name,
    IReadOnlyDictionary<QueryPattern, int> Fits,
    Consistency Consistency,
    bool MayBeRecord,
    bool ScalesOut,
    int People)
{
    /// <summary>Writes that a node takes, as a multiple of what a relational database does.</summary>
    public int WritesOfNode { get; init; } = 1;

    /// <summary>Products of this kind, in no order; examples, not a choice.</summary>
    public required string Examples { get; init; }

    /// <summary>Why it is good at what it is good at.</summary>
    public required string Strength { get; init; }

    /// <summary>What one gives up.</summary>
    public required string TradeOff { get; init; }

    /// <summary>What it does when the network parts it.</summary>
    public required string Partition { get; init; }

    /// <summary>How much may be lost, in time.</summary>
    public required string Rpo { get; init; }

    /// <summary>How long until it serves again.</summary>
    public required string Rto { get; init; }

    /// <summary>Which part of it Ashlar serves today.</summary>
    public required string Ashlar { get; init; }

    public int Fit(QueryPattern pattern) => Fits.GetValueOrDefault(pattern);
}
