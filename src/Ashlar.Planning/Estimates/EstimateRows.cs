namespace Ashlar.Planning;

/// <summary>The rows of an estimate, each one factor further than one before.</summary>
sealed class EstimateRows(Workload workload, UnitSystem units)
{
    readonly List<EstimateRow> rows = [];
    long totalRaw, indexed, blobs;

    public IReadOnlyList<EstimateRow> All => rows;

    /// <summary>Records at the end of the retention.</summary>
    public decimal Records { get; private set; }

    /// <summary>What the disks of the cluster hold; returns their size.</summary>
    public long AddCluster()
    {
        var (record, index) = (workload.BytesOfRecord, workload.IndexBytesOfRecord);
        var perDay = Reckoning.Count("records", workload.Writes, TimeSpan.FromDays(1));
        Records = Reckoning.Count("retention", workload.Writes, workload.Retention);
        AddFields();
        Add("dailyRaw", "Daily raw", $"{Number(perDay)} records x {Number(record)} B", Reckoning.Bytes("records", record, perDay));
        totalRaw = Add(
            "totalRaw",
            "Total raw",
            $"x {Period.FormatExact(workload.Retention)} of retention",
            Reckoning.Bytes("retention", record, Records));
        Add("replicated", "Replicated", $"x {Copies(workload.Replicas)}", Reckoning.Bytes("replicas", record, Records, workload.Replicas));
        indexed = Add(
            "indexed", "With indexes", IndexFactor(record, index), Reckoning.Bytes("index", record + index, Records, workload.Replicas));

        var blobReplicas = workload.BlobReplicas ?? workload.Replicas;
        long blobsReplicated = 0;
        if (workload.HasBlobs)
        {
            blobs = Add(
                "blobs",
                "Blobs, raw",
                $"{Share.Format(workload.BlobShare)} of {Number(Records)} records x {ByteAmount.FormatExact(workload.BlobBytes, units)}",
                Reckoning.Bytes("blob", Records, workload.BlobShare, workload.BlobBytes));
            blobsReplicated = Add(
                "blobsReplicated",
                "Blobs, replicated",
                $"x {Copies(blobReplicas)}",
                Reckoning.Bytes("blob-replicas", Records, workload.BlobShare, workload.BlobBytes, blobReplicas));
        }

        var inLog = Reckoning.Count("wal", workload.Writes, workload.LogKept);
        var log = Add(
            "log",
            "Write-ahead log",
            $"{Period.FormatExact(workload.LogKept)} of writes with indexes x {Copies(workload.Replicas)}",
            Reckoning.Bytes("wal", record + index, inLog, workload.Replicas));
        var compaction = Add(
            "compaction",
            "Compaction",
            $"{Share.Format(workload.CompactionShare)} of records with indexes, to merge in",
            Reckoning.Bytes("compaction", indexed, workload.CompactionShare));
        var audit = AddAudit();
        var used = Reckoning.Sum("retention", indexed, blobsReplicated, log, compaction, audit);
        var free = Add(
            "free",
            "Head-room",
            $"{Share.Format(workload.FreeShare)} of the disks stays empty",
            Reckoning.Bytes("free", used, workload.FreeShare / (1 - workload.FreeShare)));
        return Add("cluster", "Cluster", "all of these on disks", Reckoning.Sum("free", used, free));
    }

    /// <summary>What backups take elsewhere; returns the size of everything.</summary>
    public long AddBackups(long cluster)
    {
        var ofRecords = Add(
            "backups",
            "Backups",
            $"{workload.Backups} x records with indexes, one copy",
            Reckoning.Bytes("backups", workload.BytesOfRecord + workload.IndexBytesOfRecord, Records, workload.Backups));
        var count = workload.BlobBackups ?? workload.Backups;
        var ofBlobs = workload.HasBlobs
            ? Add("blobBackups", "Backups of blobs", $"{count} x blobs, one copy", Reckoning.Bytes("blob-backups", blobs, count))
            : 0;
        return Add("total", "Total", "cluster and backups", Reckoning.Sum("backups", cluster, ofRecords, ofBlobs));
    }

    // A record that comes from a schema is shown field by field.
    void AddFields()
    {
        if (workload.Schema is not { } schema) return;
        foreach (var field in schema.Fields)
            rows.Add(
                new("field", field.Name, $"{field.Type.Name}, {Number(field.Bytes)} B on average", (long)decimal.Ceiling(field.Bytes)));
        rows.Add(new("rowOverhead", "(row)", $"{Number(schema.OverheadBytes)} B that the database adds to each row", schema.OverheadBytes));
        rows.Add(new("record", "Record", $"{Number(schema.RecordBytes)} B on average", (long)decimal.Ceiling(schema.RecordBytes)));
        foreach (var index in schema.Indexes)
        {
            var bytes = index.KeyBytes + schema.IndexOverheadBytes;
            rows.Add(new(
                "index",
                "Index",
                $"on {string.Join(", ", index.Columns)}: {Number(index.KeyBytes)} B + {Number(schema.IndexOverheadBytes)} B",
                (long)decimal.Ceiling(bytes)));
        }
    }

    long AddAudit()
    {
        if (workload.AuditBytes == 0) return 0;
        var kept = workload.AuditRetention ?? workload.Retention;
        return Add(
            "audit",
            "Audit log",
            $"{Number(workload.AuditBytes)} B a write, kept {Period.FormatExact(kept)}, x {Copies(workload.Replicas)}",
            Reckoning.Bytes(
                workload.AuditRetention is null ? "audit" : "audit-retention",
                workload.AuditBytes,
                Reckoning.Count("audit-retention", workload.Writes, kept),
                workload.Replicas));
    }

    long Add(string id, string title, string how, long bytes)
    {
        rows.Add(new(id, title, how, bytes));
        return bytes;
    }

    string IndexFactor(decimal record, decimal index) => index == 0 ? "none said (--index)"
        : workload.Schema is null ? $"x {Number(1 + workload.IndexShare)} ({Share.Format(workload.IndexShare)} of indexes)"
        : $"x {Number(decimal.Round((record + index) / record, 4))} ({Number(index)} B of indexes for a record)";

    static string Copies(decimal copies) => copies == 1 ? "1 copy" : $"{Number(copies)} copies";

    static string Number(decimal number) => Numeral.Format(decimal.Round(number, 2));
}
