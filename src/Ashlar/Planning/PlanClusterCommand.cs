using System.CommandLine;
using Ashlar.Planning;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar plan cluster</c>.</summary>
static class PlanClusterCommand
{
    public static Verb Create(Terminal terminal)
    {
        var options = new PlanOptions(terminal);
        var files = options.Count("--files", "Files to store, of --mean-size each");
        var meanSize = options.Size("--mean-size", "Bytes of a file on average");
        var size = options.Size("--size", "Bytes of all files; or --files with --mean-size");
        var replicas = options.Count("--replicas", "Copies of each file, on different nodes [default: 3]", 1, 100);
        var erasure = options.Add("--erasure", "DATA+PARITY", "Parts of a file instead of copies: 8+4", ErasureCode.Parse);
        var racks = options.Count("--racks", "Racks that the nodes stand in: copies are spread over them", 1, 100_000);
        var growth = options.Percent("--growth", "How much more there is each year", 100, mayBeZero: false);
        var years = options.Count("--years", "For how many years of growth to buy", 1, 50);
        var nodeSize = options.Size("--node-size", "What the drives of a node hold [default: 100TB]");
        var fill = options.Percent("--fill", "How full drives may be [default: 85%]", mayBeZero: false);
        var driveSize = options.Size("--drive-size", "What a drive holds [default: 20TB, --node-size if less]");
        var reads = options.Rate("--reads", "Reads of all clients at peak: 100k/s");
        var writes = options.Rate("--writes", "Writes of all clients at peak, before replication");
        var nodeReads = options.Rate("--node-reads", "Reads that a node serves [default: 100/s for each drive]");
        var nodeWrites = options.Rate("--node-writes", "Writes that a node takes [default: 100/s for each drive]");
        var ioPerRead = options.Number(
            "--io-per-read", "Node operations that a read takes [default: 1; with --erasure its parts of data]", 0.000001m, 10_000);
        var requestSize = options.Size("--request-size", "Bytes that a request moves [default: --mean-size]");
        var nodeBandwidth = options.Bandwidth("--node-bandwidth", "What a node moves [default: 1GB/s]");
        var entries = options.Count("--entries", "Entries of metadata [default: --files]");
        var entriesPerShard = options.Count("--entries-per-shard", "Entries that a metadata shard holds [default: 100M]");
        var keys = options.Count("--keys", "Keys of a key-value store");
        var keyValueSize = options.Size("--key-value-size", "Bytes of a key with its value [default: 1KiB]");
        var keyOperations = options.Rate("--key-operations", "Operations on keys at peak");
        var partitionSize = options.Size("--partition-size", "What a partition holds [default: 50GiB]");
        var partitionOperations = options.Rate("--partition-operations", "What a partition serves [default: 10k/s]");
        var afr = options.Percent("--afr", "Drives that fail in a year [default: 1.5%]", mayBeZero: false);
        var rebuildPeers = options.Count("--rebuild-peers", "Drives that rebuild a lost one together [default: 20]", 1, 100_000);
        var rebuildRate = options.Bandwidth("--rebuild-rate", "What each of them gives to that [default: 50MB/s]");
        var repairBandwidth = options.Bandwidth(
            "--repair-bandwidth", "What the network of a node gives to that [default: a quarter of --node-bandwidth]");
        var detect = options.Time("--detect", "How long until a lost drive is noticed [default: 10min]");
        Option[] ofFiles =
        [
            replicas, erasure, racks, nodeSize, fill, driveSize, nodeBandwidth, requestSize, afr,
            rebuildPeers, rebuildRate, repairBandwidth, detect,
        ];
        Option[] ofKeys = [keyValueSize, partitionSize, partitionOperations];
        Option[] ofRebuilding = [rebuildPeers, rebuildRate, repairBandwidth, detect];
        return options.Verb(
            "cluster",
            "Size a cluster: metadata shards, key-value partitions, storage nodes, drives and how they fail",
            [
                "ashlar plan cluster --size 200PB --node-size 100TB --reads 100k/s --node-reads 2000/min --request-size 1MB",
                "ashlar plan cluster --entries 12bn --entries-per-shard 100M",
                "ashlar plan cluster --files 12bn --mean-size 16MB --fill 85% --afr 2% -o json",
                "ashlar plan cluster --size 500TB --erasure 8+4 --racks 6 --growth 30% --years 3",
                "ashlar plan cluster --keys 5bn --key-value-size 1KiB --key-operations 400k/s",
            ],
            invocation =>
            {
                var units = options.Units(invocation);
                var defaults = new ClusterNeeds();
                if (!invocation.IsGiven(keys) && Array.Find(ofKeys, invocation.IsGiven) is { } useless)
                    throw Usage.Error($"{useless.Name}: give --keys, too");
                if (!invocation.IsGiven(entries) && !invocation.IsGiven(files) && invocation.IsGiven(entriesPerShard))
                    throw Usage.Error("--entries-per-shard: give --entries or --files, too");
                if (!invocation.IsGiven(reads) && invocation.IsGiven(nodeReads)) throw Usage.Error("--node-reads: give --reads, too");
                if (!invocation.IsGiven(reads) && invocation.IsGiven(ioPerRead)) throw Usage.Error("--io-per-read: give --reads, too");
                if (!invocation.IsGiven(writes) && invocation.IsGiven(nodeWrites)) throw Usage.Error("--node-writes: give --writes, too");
                if (!invocation.IsGiven(files) && !invocation.IsGiven(size) && Array.Find(ofFiles, invocation.IsGiven) is { } alone)
                    throw Usage.Error($"{alone.Name}: there are no files: give --size, or --files with --mean-size");
                if (invocation.IsGiven(erasure) && invocation.IsGiven(replicas))
                    throw Usage.Error("--erasure: --replicas says it already", "give one of them");
                if (invocation.Get(replicas) == 1 && Array.Find(ofRebuilding, invocation.IsGiven) is { } idle)
                    throw Usage.Error($"{idle.Name}: nothing rebuilds a single copy", "give --replicas 2 or more");
                var needs = new ClusterNeeds
                {
                    Files = invocation.Get(files),
                    MeanBytes = invocation.Get(meanSize)?.Bytes,
                    DataBytes = invocation.Get(size)?.Bytes,
                    Replicas = (int)(invocation.Get(replicas) ?? defaults.Replicas),
                    Erasure = invocation.Get(erasure),
                    Racks = (int?)invocation.Get(racks),
                    GrowthShare = invocation.Get(growth) ?? 0,
                    GrowthYears = (int)(invocation.Get(years) ?? 0),
                    NodeBytes = invocation.Get(nodeSize)?.Bytes ?? defaults.NodeBytes,
                    FillShare = invocation.Get(fill) ?? defaults.FillShare,
                    DriveBytes = invocation.Get(driveSize)?.Bytes,
                    Reads = invocation.Get(reads),
                    Writes = invocation.Get(writes),
                    NodeReads = invocation.Get(nodeReads),
                    NodeWrites = invocation.Get(nodeWrites),
                    IoPerRead = invocation.Get(ioPerRead),
                    RequestBytes = invocation.Get(requestSize)?.Bytes,
                    NodeBytesPerSecond = invocation.Get(nodeBandwidth)?.Bytes ?? defaults.NodeBytesPerSecond,
                    Entries = invocation.Get(entries),
                    EntriesPerShard = invocation.Get(entriesPerShard) ?? defaults.EntriesPerShard,
                    Keys = invocation.Get(keys),
                    KeyValueBytes = invocation.Get(keyValueSize)?.Bytes ?? defaults.KeyValueBytes,
                    KeyOperations = invocation.Get(keyOperations),
                    PartitionBytes = invocation.Get(partitionSize)?.Bytes ?? defaults.PartitionBytes,
                    PartitionOperations = invocation.Get(partitionOperations) ?? defaults.PartitionOperations,
                    AnnualFailureShare = invocation.Get(afr) ?? defaults.AnnualFailureShare,
                    RebuildPeers = (int)(invocation.Get(rebuildPeers) ?? defaults.RebuildPeers),
                    RebuildBytesPerSecond = invocation.Get(rebuildRate)?.Bytes ?? defaults.RebuildBytesPerSecond,
                    RepairBytesPerSecond = invocation.Get(repairBandwidth)?.Bytes,
                    DetectTime = invocation.Get(detect) ?? defaults.DetectTime,
                };
                var plan = ClusterSizer.Size(needs, units);
                return PlanAnswer.Write(
                    invocation, "ClusterPlan", units, plan, PlanJson.Strict.ClusterPlan, (_, _) =>
                        WriteScreen(invocation.Terminal, plan, units));
            });
    }

    static void WriteScreen(Terminal terminal, ClusterPlan plan, UnitSystem units)
    {
        var (writer, style) = (terminal.Out, terminal.OutStyle);
        var table = new Table("WHAT", Column.Text("HOW"), Column.Number("ANSWER"));
        foreach (var row in plan.Rows) table.Row(row.Title, row.How, row.Answer);
        table.WriteTo(writer, style, terminal.Width);
        if (plan.Durability is { } durability)
        {
            writer.WriteLine();
            writer.WriteLine("Durability holds under these assumptions:");
            foreach (var line in durability.Assumptions) PlanAnswer.WriteText(writer, line, "- ", "  ");
        }

        PlanAnswer.WriteUnits(writer, style, units);
    }
}
