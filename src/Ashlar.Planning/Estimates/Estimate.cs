namespace Ashlar.Planning;

/// <summary>What a workload takes.</summary>
public sealed record Estimate
{
    /// <summary>One factor after the other.</summary>
    public required IReadOnlyList<EstimateRow> Rows { get; init; }

    /// <summary>Everything: disks of the cluster and backups.</summary>
    public required long TotalBytes { get; init; }

    /// <summary>What the cluster's own disks must have: everything but backups.</summary>
    public required long ClusterBytes { get; init; }

    /// <summary>Records there are at the end of the retention.</summary>
    public required decimal Records { get; init; }

    /// <summary>Bytes of a record on average, its overhead included.</summary>
    public required decimal RecordBytes { get; init; }

    /// <summary>Writes that users make.</summary>
    public required RatePair Writes { get; init; }

    /// <summary>Reads that users make; null if they are not given.</summary>
    public required RatePair? Reads { get; init; }

    /// <summary>Bytes a second that users write, blobs included, before replication.</summary>
    public required RatePair WriteBytes { get; init; }

    /// <summary>Bytes a second that users read, blobs included; null if reads are not given.</summary>
    public required RatePair? ReadBytes { get; init; }

    /// <summary>Reads for each write; null if reads are not given.</summary>
    public required decimal? ReadsPerWrite { get; init; }

    /// <summary>What that ratio implies.</summary>
    public required IReadOnlyList<string> Implications { get; init; }

    /// <summary>What the input leaves out that is seldom meant to be left out.</summary>
    public required IReadOnlyList<string> Remarks { get; init; }

    /// <summary>How many nodes each limit asks for.</summary>
    public required IReadOnlyList<LimitRow> Limits { get; init; }

    /// <summary>The limit that asks for the most nodes: space, operations, bandwidth or copies.</summary>
    public required string BindsFirst { get; init; }
}

/// <summary>One step of an estimate.</summary>
/// <param name="Id">For programs: "dailyRaw".</param>
/// <param name="Title">For people: "Daily raw".</param>
/// <param name="How">What was multiplied.</param>
/// <param name="Bytes">What came out.</param>
public sealed record EstimateRow(string Id, string Title, string How, long Bytes);

/// <summary>Per second.</summary>
/// <param name="Average">Over day and night.</param>
/// <param name="Peak">Times the peak factor.</param>
public sealed record RatePair(decimal Average, decimal Peak);

/// <summary>What one limit of a node asks for.</summary>
/// <param name="Limit">space, operations, bandwidth or copies.</param>
/// <param name="How">What was divided.</param>
/// <param name="Nodes">How many nodes that makes.</param>
public sealed record LimitRow(string Limit, string How, long Nodes);
