namespace Ashlar.Planning;

/// <summary>How evenly a rule spreads the load, and what it moves when a node joins.</summary>
public sealed record SkewReport
{
    /// <summary>Of the scenario.</summary>
    public required ulong Seed { get; init; }

    /// <summary>What is stored and asked for in each partition.</summary>
    public required IReadOnlyList<PartitionLoad> Partitions { get; init; }

    /// <summary>The busiest partition's operations over the mean.</summary>
    public required double MaxToMean { get; init; }

    /// <summary>Standard deviation of the operations over their mean.</summary>
    public required double Variation { get; init; }

    /// <summary>The share of operations on the single busiest key.</summary>
    public required double HottestKeyShare { get; init; }

    /// <summary>The share of stored keys that move when one partition joins.</summary>
    public required double MovedShare { get; init; }

    /// <summary>The least that would have to move for the new partition to get its part: 1 / (n + 1).</summary>
    public required double IdealMovedShare { get; init; }

    /// <summary>even, uneven or hot spot.</summary>
    public required string Verdict { get; init; }

    /// <summary>What follows from it.</summary>
    public required IReadOnlyList<string> Remarks { get; init; }
}

/// <summary>One partition.</summary>
/// <param name="Partition">Its number, from 0.</param>
/// <param name="Keys">Stored keys.</param>
/// <param name="Operations">Operations that it served.</param>
public sealed record PartitionLoad(int Partition, long Keys, long Operations);
