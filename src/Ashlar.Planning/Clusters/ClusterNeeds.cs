namespace Ashlar.Planning;

/// <summary>What a cluster is to hold and to do, and what its parts can. What is null is not asked for.</summary>
public sealed record ClusterNeeds
{
    /// <summary>Files, of <see cref="MeanBytes"/> each.</summary>
    public long? Files { get; init; }

    /// <summary>Bytes of a file on average.</summary>
    public long? MeanBytes { get; init; }

    /// <summary>Bytes of all files; or else files times mean.</summary>
    public long? DataBytes { get; init; }

    /// <summary>Copies of each file, on different nodes; <see cref="Erasure"/> takes their place.</summary>
    public int Replicas { get; init; } = 3;

    /// <summary>How a file is cut instead of copied. Null: it is copied.</summary>
    public ErasureCode? Erasure { get; init; }

    /// <summary>Racks (or rooms, or whatever fails as one) that the nodes stand in. Null: nobody knows.</summary>
    public int? Racks { get; init; }

    /// <summary>How much more there is each year of everything that is asked for.</summary>
    public decimal GrowthShare { get; init; }

    /// <summary>For how many years of growth the cluster is bought.</summary>
    public int GrowthYears { get; init; }

    /// <summary>Bytes that a node's drives have together.</summary>
    public long NodeBytes { get; init; } = 100_000_000_000_000;

    /// <summary>How full drives may be.</summary>
    public decimal FillShare { get; init; } = 0.85m;

    /// <summary>Bytes of a drive. Null: 20 TB, or what the node has if that is less.</summary>
    public long? DriveBytes { get; init; }

    /// <summary>Reads of all clients, at peak.</summary>
    public Rate? Reads { get; init; }

    /// <summary>Writes of all clients, at peak, before replication.</summary>
    public Rate? Writes { get; init; }

    /// <summary>Reads that a node serves. Null: 100 I/O a second for each of its drives.</summary>
    public Rate? NodeReads { get; init; }

    /// <summary>Writes that a node takes. Null: 100 I/O a second for each of its drives.</summary>
    public Rate? NodeWrites { get; init; }

    /// <summary>Drive I/O that a read takes: open, index, data. Null: one for each piece that a read gathers.</summary>
    public decimal? IoPerRead { get; init; }

    /// <summary>Bytes that a request moves. Null: a whole file.</summary>
    public long? RequestBytes { get; init; }

    /// <summary>Bytes a second in and out of a node.</summary>
    public long NodeBytesPerSecond { get; init; } = 1_000_000_000;

    /// <summary>Entries of metadata. Null: one a file.</summary>
    public long? Entries { get; init; }

    /// <summary>Entries that a metadata shard holds.</summary>
    public long EntriesPerShard { get; init; } = 100_000_000;

    /// <summary>Keys of a key-value store.</summary>
    public long? Keys { get; init; }

    /// <summary>Bytes of a key with its value, on average.</summary>
    public long KeyValueBytes { get; init; } = 1024;

    /// <summary>Operations on keys at peak.</summary>
    public Rate? KeyOperations { get; init; }

    /// <summary>Bytes that a partition holds: what can be moved or rebuilt in minutes.</summary>
    public long PartitionBytes { get; init; } = 50L << 30;

    /// <summary>Operations that a partition serves.</summary>
    public Rate PartitionOperations { get; init; } = Rate.OfSecond(10_000);

    /// <summary>The share of drives that fails in a year.</summary>
    public decimal AnnualFailureShare { get; init; } = 0.015m;

    /// <summary>Drives that rebuild a lost one together.</summary>
    public int RebuildPeers { get; init; } = 20;

    /// <summary>Bytes a second that each of them gives to rebuilding.</summary>
    public long RebuildBytesPerSecond { get; init; } = 50_000_000;

    /// <summary>
    /// Bytes a second that the network of a node gives to rebuilding. Null: a quarter of <see cref="NodeBytesPerSecond"/>.
    /// </summary>
    public long? RepairBytesPerSecond { get; init; }

    /// <summary>How long until a lost drive is noticed and its rebuilding begins.</summary>
    public TimeSpan DetectTime { get; init; } = TimeSpan.FromMinutes(10);

    internal long BytesOfDrive => DriveBytes ?? Math.Min(20_000_000_000_000, NodeBytes);

    internal long RepairBytesOfNode => RepairBytesPerSecond ?? Math.Max(1, NodeBytesPerSecond / 4);

    /// <summary>Pieces of a file, each on a node of its own: its copies, or the parts of its code.</summary>
    internal int Pieces => Erasure?.Pieces ?? Replicas;

    /// <summary>Pieces that may be missing.</summary>
    internal int SparePieces => Erasure?.Parity ?? Replicas - 1;

    /// <summary>Pieces that it takes to read a file, or to make a lost piece again.</summary>
    internal int PiecesToRead => Erasure?.Data ?? 1;

    internal decimal IoOfRead => IoPerRead ?? PiecesToRead;

    /// <summary>Bytes on disk for each byte of a file.</summary>
    internal decimal Overhead => Erasure is { } code ? (decimal)code.Pieces / code.Data : Replicas;

    /// <summary>Pieces of a file that one rack holds at most, where pieces are spread over racks evenly.</summary>
    internal int PiecesOfRack => Racks is { } racks ? (Pieces + racks - 1) / racks : 0;

    /// <summary>Nodes without which the pieces of a file are not apart.</summary>
    internal int NodesForPieces => Racks is { } racks ? racks * PiecesOfRack : Pieces;

    /// <summary>What the plan is about first of all.</summary>
    internal string MainInput =>
        DataBytes is not null ? "size" : Files is not null ? "files" : Keys is not null ? "keys" : "entries";

    internal void Validate()
    {
        Reckoning.Require(
            Files is not null || DataBytes is not null || Entries is not null || Keys is not null,
            "size",
            "there is nothing to size: give --size, --files with --mean-size, --entries or --keys");
        Reckoning.Require(Files is null or > 0, "files", "more than 0 are needed");
        Reckoning.Require(MeanBytes is null or > 0, "mean-size", "it is larger than 0");
        Reckoning.Require(DataBytes is null or > 0, "size", "it is larger than 0");
        Reckoning.Require(
            DataBytes is null || Files is null || MeanBytes is null,
            "size",
            "--files and --mean-size say it already: give two of the three");
        Reckoning.Require(Files is null || MeanBytes is not null || DataBytes is not null, "files", "give --mean-size or --size, too");
        Reckoning.Require(MeanBytes is null || Files is not null || DataBytes is not null, "mean-size", "give --files or --size, too");
        Reckoning.Require(Replicas is > 0 and <= 100, "replicas", "expected 1 to 100");
        Reckoning.Require(NodeBytes > 0, "node-size", "it is larger than 0");
        Reckoning.Require(FillShare is > 0 and <= 1, "fill", "expected more than 0 %, and up to 100 %");
        Reckoning.Require(DriveBytes is null or > 0, "drive-size", "it is larger than 0");
        Reckoning.Require(
            DriveBytes is null || DriveBytes <= NodeBytes,
            "drive-size",
            "a drive does not hold more than the node that it is in (--node-size)");
        Reckoning.Require(
            Erasure is null or { Data: > 0 and <= 100, Parity: > 0 and <= 100 },
            "erasure",
            "expected 1 to 100 parts of data and of parity");
        Reckoning.Require(Racks is null or (> 0 and <= 100_000), "racks", "expected 1 to 100,000");
        Reckoning.Require(
            Racks is null || SparePieces > 0,
            "racks",
            "a single copy is gone with its rack, however many racks there are: give --replicas, too");
        Reckoning.Require(
            Racks is null || PiecesOfRack <= SparePieces,
            "racks",
            $"a rack would hold {PiecesOfRack} of the {Pieces} pieces of a file, of which {SparePieces} may be missing: "
                + $"at least {(Pieces + SparePieces - 1) / Math.Max(1, SparePieces)} racks are needed");
        Reckoning.Require(GrowthShare is >= 0 and <= 100, "growth", "expected 0 % to 10,000 %");
        Reckoning.Require(GrowthYears is >= 0 and <= 50, "years", "expected up to 50");
        Reckoning.Require(GrowthYears == 0 || GrowthShare > 0, "years", "there is no growth: give --growth, too");
        Reckoning.Require(GrowthShare == 0 || GrowthYears > 0, "growth", "for how many years? Give --years, too");
        RequireRate(Reads, "reads");
        RequireRate(Writes, "writes");
        RequireRate(NodeReads, "node-reads");
        RequireRate(NodeWrites, "node-writes");
        RequireRate(KeyOperations, "key-operations");
        RequireRate(PartitionOperations, "partition-operations");
        Reckoning.Require(IoPerRead is null or (> 0 and <= 10_000), "io-per-read", "expected more than 0, and up to 10,000");
        Reckoning.Require(RequestBytes is null or > 0, "request-size", "it is larger than 0");
        Reckoning.Require(NodeBytesPerSecond > 0, "node-bandwidth", "it is more than 0");
        Reckoning.Require(Entries is null or > 0, "entries", "more than 0 are needed");
        Reckoning.Require(EntriesPerShard > 0, "entries-per-shard", "more than 0 are needed");
        Reckoning.Require(Keys is null or > 0, "keys", "more than 0 are needed");
        Reckoning.Require(KeyValueBytes > 0, "key-value-size", "it is larger than 0");
        Reckoning.Require(PartitionBytes > 0, "partition-size", "it is larger than 0");
        Reckoning.Require(AnnualFailureShare is > 0 and <= 1, "afr", "expected more than 0 %, and up to 100 %");
        Reckoning.Require(RebuildPeers is > 0 and <= 100_000, "rebuild-peers", "expected 1 to 100,000");
        Reckoning.Require(RebuildBytesPerSecond > 0, "rebuild-rate", "it is more than 0");
        Reckoning.Require(RepairBytesPerSecond is null or > 0, "repair-bandwidth", "it is more than 0");
        Reckoning.Require(
            RepairBytesPerSecond is null || RepairBytesPerSecond <= NodeBytesPerSecond,
            "repair-bandwidth",
            "a node does not give more to rebuilding than it moves (--node-bandwidth)");
        Reckoning.Require(DetectTime >= TimeSpan.Zero, "detect", "a time is not negative");
        var hasData = Files is not null || DataBytes is not null;
        Reckoning.Require(hasData || Reads is null, "reads", "there are no files to read: give --size, or --files with --mean-size");
        Reckoning.Require(hasData || Writes is null, "writes", "there are no files to write: give --size, or --files with --mean-size");
        Reckoning.Require(Keys is not null || KeyOperations is null, "key-operations", "give --keys, too");
        Reckoning.Require(
            RequestBytes is not null || MeanBytes is not null || Files is not null || (Reads is null && Writes is null),
            "request-size",
            "give it, or --mean-size: how many bytes a read or write moves");
    }

    static void RequireRate(Rate? rate, string input) =>
        Reckoning.Require(rate is null or { Count: > 0, PeriodSeconds: > 0 }, input, "more than 0 are needed");
}
