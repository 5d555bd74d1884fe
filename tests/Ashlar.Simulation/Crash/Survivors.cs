namespace Ashlar.Simulation;

/// <summary>Which of the pending changes a power cut leaves: one crash state, described.</summary>
/// <param name="SectorBytes">What the medium writes at once: 512 or 4096.</param>
/// <param name="IsKept">One entry per pending change.</param>
sealed record Survivors(int SectorBytes, bool[] IsKept)
{
    /// <summary>Kept data changes of which not every sector survives, by their index.</summary>
    public Dictionary<int, Tear> Tears { get; init; } = [];

    /// <summary>Kept length changes that got only so far, by their index.</summary>
    public Dictionary<int, long> LengthsReached { get; init; } = [];

    /// <summary>What shows where appended data was lost and its length was not: zeros, or what this seed gives.</summary>
    public ulong? OldContentSeed { get; init; }
}

/// <summary>Which sectors of one data change survive: a range, or a random half chosen by a seed.</summary>
readonly record struct Tear(int First, int End, ulong? ScatterSeed)
{
    public static Tear Range(int first, int end) => new(first, end, null);

    public static Tear Scatter(ulong seed) => new(0, 0, seed);

    public bool Keeps(int sector) => ScatterSeed is { } seed
        ? new SeededRandom(seed + (ulong)sector).OneIn(2)
        : sector >= First && sector < End;

    public override string ToString() =>
        ScatterSeed is null ? $"only sectors {First}..{End - 1}" : "only some sectors, at random";
}
