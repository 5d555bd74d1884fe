namespace Ashlar.Planning;

/// <summary>What is simulated.</summary>
public sealed record SkewScenario
{
    /// <summary>Most partitions.</summary>
    public const int MostPartitions = 1024;

    /// <summary>Most keys.</summary>
    public const int MostKeys = 1_000_000;

    /// <summary>Most operations.</summary>
    public const int MostOperations = 100_000_000;

    /// <summary>How a key finds its partition.</summary>
    public PlacementRule Rule { get; init; }

    /// <summary>Which keys are asked for.</summary>
    public KeyDistribution Distribution { get; init; }

    /// <summary>How many partitions (nodes) there are.</summary>
    public int Partitions { get; init; } = 16;

    /// <summary>How many different keys are stored.</summary>
    public int Keys { get; init; } = 100_000;

    /// <summary>How many operations are counted.</summary>
    public int Operations { get; init; } = 1_000_000;

    /// <summary>Equal seeds, equal results.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>s of the Zipf distribution.</summary>
    public double ZipfExponent { get; init; } = 0.99;

    /// <summary>The celebrity's share of the operations.</summary>
    public decimal CelebrityShare { get; init; } = 0.2m;

    /// <summary>Points of each node on the ring.</summary>
    public int VirtualNodes { get; init; } = 128;

    /// <summary>How many of the hottest keys are salted.</summary>
    public int HotKeys { get; init; } = 1;

    /// <summary>Partitions that operations on a salted key go round. Null: all.</summary>
    public int? Salts { get; init; }

    internal void Validate()
    {
        Reckoning.Require(Partitions is > 0 and <= MostPartitions, "partitions", $"expected 1 to {Numeral.Format(MostPartitions)}");
        Reckoning.Require(Keys is > 0 and <= MostKeys, "keys", $"expected 1 to {Numeral.Format(MostKeys)}");
        Reckoning.Require(
            Keys >= Partitions, "keys", $"fewer than the {Numeral.Format(Partitions)} partitions: some would be empty for ever");
        Reckoning.Require(Operations is > 0 and <= MostOperations, "operations", $"expected 1 to {Numeral.Format(MostOperations)}");
        Reckoning.Require(ZipfExponent is > 0 and <= 5, "zipf", "expected more than 0, and up to 5");
        Reckoning.Require(CelebrityShare is > 0 and <= 1, "celebrity", "expected more than 0 %, and up to 100 %");
        Reckoning.Require(VirtualNodes is > 0 and <= 10_000, "virtual-nodes", "expected 1 to 10,000");
        Reckoning.Require(HotKeys > 0 && HotKeys <= Keys, "hot-keys", $"expected 1 to {Numeral.Format(Keys)}, the number of keys");
        Reckoning.Require(
            Salts is null || (Salts > 0 && Salts <= Partitions),
            "salts",
            $"expected 1 to {Numeral.Format(Partitions)}, the number of partitions");
    }
}
