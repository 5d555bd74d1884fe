using System.Globalization;

namespace Ashlar.Planning;

/// <summary>Sizes a cluster: shards, partitions, nodes, drives, and how long they last.</summary>
public static class ClusterSizer
{
    /// <summary>Sizes what <paramref name="needs"/> asks for.</summary>
    /// <param name="needs">What is to be held and done.</param>
    /// <param name="units">The one system of units that the rows are written in.</param>
    /// <exception cref="PlanException">A number is out of range or missing, or the whole is beyond 2^63 - 1 bytes.</exception>
    public static ClusterPlan Size(ClusterNeeds needs, UnitSystem units)
    {
        needs.Validate();
        return Reckoning.Guard(needs.MainInput, () => SizeAll(needs, units));
    }

    static ClusterPlan SizeAll(ClusterNeeds needs, UnitSystem units)
    {
        var rows = new List<ClusterRow>();
        needs = Growth.Apply(needs, rows);
        var shards = SizeMetadata(needs, rows);
        var partitions = SizePartitions(needs, units, rows);
        if (needs.Files is null && needs.DataBytes is null) return new() { Rows = rows, MetadataShards = shards, Partitions = partitions };

        var data = needs.DataBytes ?? Reckoning.Bytes("mean-size", needs.Files!.Value, needs.MeanBytes!.Value);
        if (needs.DataBytes is null)
        {
            rows.Add(new(
                "data",
                "Data",
                $"{Number(needs.Files!.Value)} files x {ByteAmount.FormatExact(needs.MeanBytes!.Value, units)}",
                ByteAmount.Format(data, units)));
        }

        var storage = SizeStorage(needs, units, data, rows);
        var drives = DriveReckoning.Of(needs, units, storage, rows);
        var files = needs.Files ?? (needs.MeanBytes is { } mean ? Reckoning.CeilingDivide("mean-size", data, mean) : null);
        var rack = RackReckoning.Of(needs, units, storage, rows);
        var durability = DurabilityReckoning.Of(needs, drives, files, rows);
        return new()
        {
            Rows = rows,
            MetadataShards = shards,
            Partitions = partitions,
            Storage = storage,
            Drives = drives,
            Rack = rack,
            Durability = durability,
        };
    }

    static long? SizeMetadata(ClusterNeeds needs, List<ClusterRow> rows)
    {
        if ((needs.Entries ?? needs.Files) is not { } entries) return null;
        var shards = Reckoning.CeilingDivide("entries", entries, needs.EntriesPerShard);
        rows.Add(new(
            "metadataShards",
            "Metadata shards",
            $"{Number(entries)} entries{(needs.Entries is null ? ", one a file," : "")} / {Number(needs.EntriesPerShard)} a shard",
            Number(shards)));
        return shards;
    }

    static long? SizePartitions(ClusterNeeds needs, UnitSystem units, List<ClusterRow> rows)
    {
        if (needs.Keys is not { } keys) return null;
        var bytes = Reckoning.Bytes("key-value-size", keys, needs.KeyValueBytes);
        var partitions = Reckoning.CeilingDivide("keys", bytes, needs.PartitionBytes);
        rows.Add(new(
            "partitionsBySize",
            "Partitions by size",
            $"{Number(keys)} keys x {ByteAmount.FormatExact(needs.KeyValueBytes, units)} = {ByteAmount.Format(bytes, units)} / "
                + $"{ByteAmount.Format(needs.PartitionBytes, units)}",
            Number(partitions)));
        if (needs.KeyOperations is { } operations)
        {
            var byOperations = Reckoning.CeilingDivide("key-operations", operations, needs.PartitionOperations);
            rows.Add(new(
                "partitionsByOperations",
                "Partitions by operations",
                $"{Rate.Format(operations.PerSecond)} / {Rate.Format(needs.PartitionOperations.PerSecond)} a partition",
                Number(byOperations)));
            partitions = Math.Max(partitions, byOperations);
        }

        rows.Add(new("partitions", "Key-value partitions", "the larger of them", Number(partitions)));
        return partitions;
    }

    static StorageNodes SizeStorage(ClusterNeeds needs, UnitSystem units, long data, List<ClusterRow> rows)
    {
        var stored = Reckoning.Bytes(needs.Erasure is null ? "replicas" : "erasure", data, needs.Overhead);
        var times = needs.Erasure is { } code
            ? $"{Numeral.Format(decimal.Round(needs.Overhead, 3))} (erasure code {code})"
            : $"{needs.Replicas}";
        var byCapacity = Reckoning.CeilingDivide("node-size", stored, needs.NodeBytes * needs.FillShare);
        var size = ByteAmount.Format(needs.NodeBytes, units);
        var fill = needs.FillShare < 1 ? $" at {Share.Format(needs.FillShare)} full" : "";
        rows.Add(new(
            "nodesByCapacity",
            "Nodes by capacity",
            $"{ByteAmount.Format(data, units)} x {times} = {ByteAmount.Format(stored, units)} / {size}{fill}",
            Number(byCapacity)));
        var ioOfNode = Rate.OfSecond(100m * DriveReckoning.PerNode(needs));
        var (nodeReads, nodeWrites) = (needs.NodeReads ?? ioOfNode, needs.NodeWrites ?? ioOfNode);
        var byReads = needs.Reads is { } reads
            ? AddBusy(
                rows,
                "reads",
                reads with { Count = reads.Count * needs.IoOfRead },
                nodeReads,
                How(reads, nodeReads, needs.IoOfRead, needs.NodeReads is null))
            : (long?)null;
        var byWrites = needs.Writes is { } writes
            ? AddBusy(
                rows,
                "writes",
                writes with { Count = writes.Count * needs.Pieces },
                nodeWrites,
                How(writes, nodeWrites, needs.Pieces, needs.NodeWrites is null))
            : (long?)null;
        var byBandwidth = SizeBandwidth(needs, units, data, rows);

        (long Nodes, string Why)[] limits =
        [
            (byCapacity, "capacity"),
            (byReads ?? 0, "reads"),
            (byWrites ?? 0, "writes"),
            (byBandwidth ?? 0, "bandwidth"),
            (needs.NodesForPieces, "copies"),
        ];
        var (nodes, why) = limits.MaxBy(limit => limit.Nodes);
        var copies = $"a node for each {(needs.Erasure is null ? "copy" : "part")}{(needs.Racks is null ? "" : ", in every rack")}";
        rows.Add(new("nodes", "Storage nodes", why == "copies" ? copies : $"{why} binds first", Number(nodes)));
        return new(nodes, why, byCapacity, byReads, byWrites, byBandwidth, stored);
    }

    static string How(Rate all, Rate each, decimal times, bool isDefault) =>
        $"{Rate.Format(all.PerSecond)}{(times == 1 ? "" : $" x {Numeral.Format(times)}")} / {Rate.Format(each.PerSecond)} a "
            + $"node{(isDefault ? " (100 for each drive)" : "")}";

    static long AddBusy(List<ClusterRow> rows, string what, Rate all, Rate each, string how)
    {
        var nodes = Reckoning.CeilingDivide($"node-{what}", all, each);
        rows.Add(
            new($"nodesBy{char.ToUpperInvariant(what[0])}{what[1..]}", $"Nodes busy with {what}", how, Number(nodes) + Rounded(nodes)));
        return nodes;
    }

    // Rates are seldom known to more than two digits, so nor is what follows from them.
    static string Rounded(long nodes)
    {
        var unit = 1L;
        while (nodes / unit >= 100) unit *= 10;
        var rounded = decimal.Round(nodes / (decimal)unit, MidpointRounding.AwayFromZero) * unit;
        return rounded == nodes ? "" : $" (about {Number(rounded)})";
    }

    static long? SizeBandwidth(ClusterNeeds needs, UnitSystem units, long data, List<ClusterRow> rows)
    {
        if (needs.Reads is null && needs.Writes is null) return null;
        var request = needs.RequestBytes ?? needs.MeanBytes ?? Reckoning.CeilingDivide("files", data, needs.Files!.Value);
        var bytes = Reckoning.Bytes(
            "request-size", request, (needs.Reads?.PerSecond ?? 0) + ((needs.Writes?.PerSecond ?? 0) * needs.Overhead));
        var nodes = Reckoning.CeilingDivide("node-bandwidth", bytes, needs.NodeBytesPerSecond);
        rows.Add(new(
            "nodesByBandwidth",
            "Nodes by bandwidth",
            $"requests of {ByteAmount.Format(request, units)}: {ByteAmount.Format(bytes, units)}/s / "
                + $"{ByteAmount.Format(needs.NodeBytesPerSecond, units)}/s a node",
            Number(nodes)));
        return nodes;
    }

    internal static string Number(decimal number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
