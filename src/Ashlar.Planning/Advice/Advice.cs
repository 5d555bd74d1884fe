namespace Ashlar.Planning;

/// <summary>Which stores for which data, and why.</summary>
public sealed record Advice
{
    /// <summary>Whether one well-tuned database (or one store) is enough for everything.</summary>
    public required bool OneIsEnough { get; init; }

    /// <summary>The reasons for that, with the numbers.</summary>
    public required IReadOnlyList<string> Verdict { get; init; }

    /// <summary>The stores to run: one, or as many as measured needs earn.</summary>
    public required IReadOnlyList<StoreInLayout> Layout { get; init; }

    /// <summary>All kinds for each set of data, best first.</summary>
    public required IReadOnlyList<RankedNeed> Data { get; init; }
}

/// <summary>A store of the layout.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Examples">Products of this kind.</param>
/// <param name="Data">What is kept there.</param>
/// <param name="Role">system of record, derived store, or cache: said explicitly.</param>
/// <param name="EarnedBy">The need that earns it.</param>
/// <param name="TradeOff">What one gives up.</param>
/// <param name="Partition">What it does when the network parts it.</param>
/// <param name="Rpo">How much may be lost.</param>
/// <param name="Rto">How long until it serves again.</param>
/// <param name="RestoreSeconds">How long a restore from backup takes at 200 MiB/s; null where nothing is restored.</param>
/// <param name="Ashlar">Which part of it Ashlar serves today.</param>
public sealed record StoreInLayout(
    StoreKind Kind,
    string Examples,
    IReadOnlyList<string> Data,
    string Role,
    string EarnedBy,
    string TradeOff,
    string Partition,
    string Rpo,
    string Rto,
    double? RestoreSeconds,
    string Ashlar);

/// <summary>A set of data and the kinds of store for it.</summary>
/// <param name="Name">Of the data.</param>
/// <param name="Needs">What it needs, in a line.</param>
/// <param name="Ranking">Best first; those that do not do come last.</param>
public sealed record RankedNeed(string Name, string Needs, IReadOnlyList<RankedStore> Ranking);

/// <summary>How well a kind of store serves.</summary>
/// <param name="Rank">From 1; null if it does not do.</param>
/// <param name="Kind">Which.</param>
/// <param name="Examples">Products of this kind.</param>
/// <param name="Fit">best, good, possible or no.</param>
/// <param name="Points">What the order comes from.</param>
/// <param name="Role">What it could be here: system of record, derived store, or cache.</param>
/// <param name="Reasons">For it, or against it.</param>
/// <param name="TradeOff">What one gives up.</param>
/// <param name="Partition">What it does when the network parts it.</param>
/// <param name="Rpo">How much may be lost.</param>
/// <param name="Rto">How long until it serves again.</param>
public sealed record RankedStore(
    int? Rank,
    StoreKind Kind,
    string Examples,
    string Fit,
    int Points,
    string Role,
    IReadOnlyList<string> Reasons,
    string TradeOff,
    string Partition,
    string Rpo,
    string Rto);
