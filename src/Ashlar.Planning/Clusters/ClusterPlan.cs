namespace Ashlar.Planning;

/// <summary>How many of everything. What was not asked for is null.</summary>
public sealed record ClusterPlan
{
    /// <summary>One step after the other, for people.</summary>
    public required IReadOnlyList<ClusterRow> Rows { get; init; }

    /// <summary>Shards of metadata.</summary>
    public long? MetadataShards { get; init; }

    /// <summary>Partitions of the key-value store.</summary>
    public long? Partitions { get; init; }

    /// <summary>Storage nodes: the largest of what the limits ask for.</summary>
    public StorageNodes? Storage { get; init; }

    /// <summary>Drives, how they fail and how they are rebuilt.</summary>
    public DriveFailures? Drives { get; init; }

    /// <summary>What the loss of a rack means; null if the racks are not known.</summary>
    public RackLoss? Rack { get; init; }

    /// <summary>What is likely to be lost.</summary>
    public DurabilityEstimate? Durability { get; init; }
}

/// <summary>One step of sizing a cluster.</summary>
/// <param name="Id">For programs: "nodesByCapacity".</param>
/// <param name="Title">For people.</param>
/// <param name="How">What was reckoned.</param>
/// <param name="Answer">What came out.</param>
public sealed record ClusterRow(string Id, string Title, string How, string Answer);

/// <summary>Storage nodes by each limit.</summary>
/// <param name="Nodes">The largest of them.</param>
/// <param name="BindsFirst">Which that is: capacity, reads, writes, bandwidth or copies (parts of a code included).</param>
/// <param name="ByCapacity">To hold the data.</param>
/// <param name="ByReads">To serve the reads; null if none were said.</param>
/// <param name="ByWrites">To take the writes, every copy of them; null if none were said.</param>
/// <param name="ByBandwidth">To move the bytes; null if neither was said.</param>
/// <param name="StoredBytes">Bytes with all copies.</param>
public sealed record StorageNodes(
    long Nodes, string BindsFirst, long ByCapacity, long? ByReads, long? ByWrites, long? ByBandwidth, long StoredBytes);

/// <summary>Drives and their failures.</summary>
/// <param name="Drives">How many there are.</param>
/// <param name="FailuresPerDay">How many fail on an average day.</param>
/// <param name="RebuildSeconds">How long it takes to make again what was on one; null where nothing is left to make it from.</param>
/// <param name="NodeRebuildSeconds">The same for a node.</param>
public sealed record DriveFailures(long Drives, double FailuresPerDay, double? RebuildSeconds, double? NodeRebuildSeconds);

/// <summary>A rack that is gone.</summary>
/// <param name="Nodes">Nodes in it.</param>
/// <param name="PiecesLost">Pieces of a file (copies, or parts of its code) that are gone with it at most.</param>
/// <param name="RebuildSeconds">How long the others take to make them again; null where that has to wait for the rack.</param>
public sealed record RackLoss(long Nodes, int PiecesLost, double? RebuildSeconds);

/// <summary>An estimate of loss, worth as much as its assumptions.</summary>
/// <param name="LossPerObjectYear">Probability that a given file is lost within a year.</param>
/// <param name="Nines">The same as nines of durability: 0.000001 is 6.</param>
/// <param name="LostPerYear">Files to be expected lost within a year; null if their number is not known.</param>
/// <param name="Assumptions">Without which it is not so.</param>
public sealed record DurabilityEstimate(double LossPerObjectYear, double Nines, double? LostPerYear, IReadOnlyList<string> Assumptions);
