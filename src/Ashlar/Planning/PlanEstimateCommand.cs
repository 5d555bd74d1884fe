using Ashlar.Planning;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar plan estimate</c>.</summary>
static class PlanEstimateCommand
{
    public static Verb Create(Terminal terminal)
    {
        var options = new PlanOptions(terminal);
        var record = options.Size("--record", "Bytes of a record on average; or --schema");
        var schema = options.File("--schema", "A file with a field name and SQL type a line: see docs/planning.md");
        var records = options.Rate("--records", "Records written: 200M/day, 5k/s; or --users with --writes-per-user");
        var users = options.Count("--users", "Daily active users");
        var writesPerUser = options.Number("--writes-per-user", "Records that a user writes a day", 0, 1_000_000_000);
        var readsPerUser = options.Number("--reads-per-user", "Records that a user reads a day", 0, 1_000_000_000);
        var reads = options.Rate("--reads", "Records read: 1bn/day");
        var retention = options.Time("--retention", "How long a record stays: 1825d, 5y (years of 365 days)");
        retention.Required = true;
        var replicas = options.Count("--replicas", "Copies of each record [default: 1]", 1, 100);
        var index = options.Percent("--index", "What indexes add to the records [default: 0%; with --schema its indexes]", 100);
        var blob = options.Size("--blob", "Bytes of a blob on average");
        var blobFraction = options.Percent("--blob-fraction", "Records that carry a blob", mayBeZero: false);
        var blobReplicas = options.Number(
            "--blob-replicas", "Copies of each blob; 1.5 for 8+4 erasure coding [default: --replicas]", 1, 100);
        var peak = options.Number("--peak", "Highest rate as a multiple of the average [default: 3]", 1, 10_000);
        var wal = options.Time("--wal", "How much of the write-ahead log is kept [default: 1d]");
        var compaction = options.Percent("--compaction", "Space to merge in, of records with indexes [default: 30%]", 100);
        var audit = options.Size("--audit", "Bytes that the audit log keeps of each write [default: 0]", mayBeZero: true);
        var auditRetention = options.Time("--audit-retention", "How long it keeps them [default: --retention]");
        var free = options.Percent("--free", "Part of the disks that stays empty [default: 20%]", 0.95m);
        var backups = options.Count("--backups", "Full backups of records and indexes that are kept [default: 1]", 0, 10_000);
        var blobBackups = options.Count("--blob-backups", "Full backups of blobs that are kept [default: --backups]", 0, 10_000);
        var nodeSize = options.Size("--node-size", "What a node holds [default: 8TiB]");
        var nodeOperations = options.Rate("--node-operations", "What a node does [default: 20k/s]");
        var nodeBandwidth = options.Bandwidth("--node-bandwidth", "What a node moves [default: 1GiB/s]");
        System.CommandLine.Option[] ofBlobs = [blobReplicas, blobBackups];
        return options.Verb(
            "estimate",
            "Estimate space, rates and what binds first, factor by factor",
            [
                "ashlar plan estimate --record 250B --records 200M/day --retention 1825d --replicas 3 --index 30%",
                "ashlar plan estimate --record 500B --users 1M --writes-per-user 2 --reads-per-user 10 --retention 3y",
                "ashlar plan estimate --schema orders.schema --records 100M/day --retention 1825d --backups 2 -o json",
            ],
            invocation =>
            {
                var (writes, read) = FindRates(
                    (invocation.Get(records), invocation.Get(reads)),
                    (invocation.Get(users), invocation.Get(writesPerUser), invocation.Get(readsPerUser)));
                if (invocation.IsGiven(auditRetention) && invocation.Get(audit) is null or { Bytes: 0 })
                    throw Usage.Error("--audit-retention: give --audit, too");
                if (invocation.Get(blob) is null && Array.Find(ofBlobs, invocation.IsGiven) is { } alone)
                    throw Usage.Error($"{alone.Name}: there are no blobs", "give --blob and --blob-fraction");
                var units = options.Units(invocation);
                var defaults = new NodeLimits();
                var workload = new Workload
                {
                    RecordBytes = invocation.Get(record)?.Bytes,
                    Schema = invocation.IsGiven(schema) ? PlanOptions.ReadFile(invocation, schema, SchemaFile.Parse) : null,
                    Writes = writes,
                    Reads = read,
                    Retention = invocation.Get(retention)!.Value,
                    Replicas = (int)(invocation.Get(replicas) ?? 1),
                    IndexShare = invocation.Get(index) ?? 0,
                    BlobBytes = invocation.Get(blob)?.Bytes ?? 0,
                    BlobShare = invocation.Get(blobFraction) ?? 0,
                    BlobReplicas = invocation.Get(blobReplicas),
                    AuditBytes = invocation.Get(audit)?.Bytes ?? 0,
                    AuditRetention = invocation.Get(auditRetention),
                    Backups = (int)(invocation.Get(backups) ?? 1),
                    BlobBackups = (int?)invocation.Get(blobBackups),
                    Node = new()
                    {
                        SizeBytes = invocation.Get(nodeSize)?.Bytes ?? defaults.SizeBytes,
                        Operations = invocation.Get(nodeOperations) ?? defaults.Operations,
                        BytesPerSecond = invocation.Get(nodeBandwidth)?.Bytes ?? defaults.BytesPerSecond,
                    },
                };
                workload = workload with
                {
                    PeakFactor = invocation.Get(peak) ?? workload.PeakFactor,
                    LogKept = invocation.Get(wal) ?? workload.LogKept,
                    CompactionShare = invocation.Get(compaction) ?? workload.CompactionShare,
                    FreeShare = invocation.Get(free) ?? workload.FreeShare,
                };
                var estimate = Estimator.Estimate(workload, units);
                return PlanAnswer.Write(
                    invocation, "CapacityEstimate", units, estimate, PlanJson.Strict.Estimate, (_, _) =>
                        WriteScreen(invocation.Terminal, estimate, units));
            },
            (invocation, input) => input switch
            {
                "records" when invocation.IsGiven(users) => writesPerUser.Name,
                "reads" when invocation.IsGiven(readsPerUser) => readsPerUser.Name,
                "record" when invocation.IsGiven(schema) => schema.Name,
                _ => $"--{input}",
            });
    }

    static (Rate Writes, Rate? Reads) FindRates((Rate? Writes, Rate? Reads) said, (long? Count, decimal? Writes, decimal? Reads) users)
    {
        if (users.Count is not { } count)
        {
            if (users.Writes is not null) throw Usage.Error("--writes-per-user: give --users, too");
            if (users.Reads is not null) throw Usage.Error("--reads-per-user: give --users, too");
            var writes = said.Writes
                ?? throw Usage.Error("--records is missing", "give --records, or --users with --writes-per-user");
            return (writes, said.Reads);
        }

        if (said.Writes is not null) throw Usage.Error("--records: --users say it already", "give one of them");
        if (said.Reads is not null && users.Reads is not null)
            throw Usage.Error("--reads: --reads-per-user says it already", "give one of them");
        if (users.Writes is not > 0)
        {
            throw Usage.Error(
                users.Writes is null ? "--users: give --writes-per-user, too" : "--writes-per-user: a plan needs more than 0");
        }
        return (Of(users.Writes.Value, "writes"), users.Reads is null or 0 ? said.Reads : Of(users.Reads.Value, "reads"));

        Rate Of(decimal perUser, string what) => count * perUser <= long.MaxValue
            ? Rate.OfDay(count * perUser)
            : throw Usage.Error($"--{what}-per-user: times the users it is more than 2^63 - 1 a day");
    }

    static void WriteScreen(Terminal terminal, Estimate estimate, UnitSystem units)
    {
        var (writer, style) = (terminal.Out, terminal.OutStyle);
        var space = new Table("SPACE", Column.Text("HOW"), Column.Number("SIZE"));
        foreach (var row in estimate.Rows) space.Row(row.Title, row.How, ByteAmount.Format(row.Bytes, units));
        space.WriteTo(writer, style, terminal.Width);

        writer.WriteLine();
        var rates = new Table(
            "RATE", Column.Number("AVERAGE", 1), Column.Number("PEAK"), Column.Number("AVERAGE BYTES", 2), Column.Number("PEAK BYTES"));
        AddRate(rates, "Writes", estimate.Writes, estimate.WriteBytes, units);
        if (estimate is { Reads: { } reads, ReadBytes: { } readBytes }) AddRate(rates, "Reads", reads, readBytes, units);
        rates.WriteTo(writer, style, terminal.Width);
        writer.WriteLine();
        if (estimate.ReadsPerWrite is { } ratio) writer.WriteLine($"Reads to writes: {FormatRatio(ratio)}");
        foreach (var line in estimate.Implications) PlanAnswer.WriteText(writer, line);
        foreach (var line in estimate.Remarks)
        {
            writer.WriteLine();
            PlanAnswer.WriteText(writer, line);
        }

        writer.WriteLine();
        var limits = new Table("LIMIT", Column.Text("HOW"), Column.Number("NODES"));
        foreach (var limit in estimate.Limits)
            limits.Row(limit.Limit, limit.How, limit.Nodes.ToString("N0", System.Globalization.CultureInfo.InvariantCulture));
        limits.WriteTo(writer, style, terminal.Width);
        writer.WriteLine(estimate.Limits.All(limit => limit.Nodes == 1)
            ? "One node is enough by each limit."
            : estimate.BindsFirst == "copies" ? $"One node would carry the load; {estimate.Limits[^1].Nodes} keep the copies apart."
            : $"{char.ToUpperInvariant(estimate.BindsFirst[0])}{estimate.BindsFirst[1..]} binds first.");
        PlanAnswer.WriteUnits(writer, style, units);
    }

    static void AddRate(Table table, string title, RatePair rate, RatePair bytes, UnitSystem units) => table.Row(
        title,
        Rate.Format(rate.Average),
        Rate.Format(rate.Peak),
        $"{ByteAmount.Format((long)bytes.Average, units)}/s",
        $"{ByteAmount.Format((long)bytes.Peak, units)}/s");

    static string FormatRatio(decimal ratio) => ratio >= 0.1m
        ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{ratio:N1}")
        : ratio == 0
            ? "less than one for 10^12"
            : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"one for {1 / ratio:N0}");
}
