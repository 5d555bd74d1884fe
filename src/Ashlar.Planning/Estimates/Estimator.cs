namespace Ashlar.Planning;

/// <summary>Reckons what a workload takes, factor by factor. Whole bytes, rounded up; no floating point.</summary>
public static class Estimator
{
    /// <summary>Estimates.</summary>
    /// <param name="workload">What is stored.</param>
    /// <param name="units">The one system of units that the rows are written in.</param>
    /// <exception cref="PlanException">A number is out of range, or the whole is beyond 2^63 - 1 bytes.</exception>
    public static Estimate Estimate(Workload workload, UnitSystem units)
    {
        workload.Validate();
        return Reckoning.Guard("records", () => EstimateAll(workload, units));
    }

    static Estimate EstimateAll(Workload workload, UnitSystem units)
    {
        var rows = new EstimateRows(workload, units);
        var cluster = rows.AddCluster();
        var total = rows.AddBackups(cluster);

        var writes = Pair(workload, workload.Writes.PerSecond);
        var reads = workload.Reads is { } rate ? Pair(workload, rate.PerSecond) : null;
        var bytesOfOne = workload.BytesOfRecord + (workload.BlobShare * workload.BlobBytes);
        var writeBytes = Scale("records", writes, bytesOfOne);
        var readBytes = reads is null ? null : Scale("reads", reads, bytesOfOne);
        decimal? ratio = reads is null ? null : decimal.Round(workload.Reads!.Value.PerSecond / workload.Writes.PerSecond, 18);
        var limits = Limits(workload, units, cluster, (writes, reads), (writeBytes, readBytes));
        return new()
        {
            Rows = rows.All,
            TotalBytes = total,
            ClusterBytes = cluster,
            Records = rows.Records,
            RecordBytes = workload.BytesOfRecord,
            Writes = writes,
            Reads = reads,
            WriteBytes = writeBytes,
            ReadBytes = readBytes,
            ReadsPerWrite = ratio,
            Implications = Implication.Of(ratio),
            Remarks = workload.Schema is { } schema && SchemaRemark.Of(schema) is { } remark ? [remark] : [],
            Limits = limits,
            BindsFirst = limits.MaxBy(limit => limit.Nodes)!.Limit,
        };
    }

    static RatePair Pair(Workload workload, decimal perSecond) =>
        new(decimal.Round(perSecond, 6), decimal.Round(perSecond * workload.PeakFactor, 6));

    static RatePair Scale(string input, RatePair rate, decimal bytes) =>
        new(Reckoning.Bytes(input, rate.Average, bytes), Reckoning.Bytes(input, rate.Peak, bytes));

    static LimitRow[] Limits(
        Workload workload,
        UnitSystem units,
        long cluster,
        (RatePair Writes, RatePair? Reads) rates,
        (RatePair Writes, RatePair? Reads) bytes)
    {
        var node = workload.Node;
        // Every copy is written; one is read.
        var operations = (rates.Writes.Peak * workload.Replicas) + (rates.Reads?.Peak ?? 0);
        var copies = workload.HasBlobs ? Math.Max(workload.Replicas, workload.BlobReplicas ?? workload.Replicas) : workload.Replicas;
        // What is written with a record goes over the same wires and drives: its entries in indexes, and all of that in the log.
        var logged = workload.LogKept > TimeSpan.Zero ? workload.BytesOfRecord + workload.IndexBytesOfRecord : 0;
        decimal bandwidth = Reckoning.Sum(
            "peak",
            Reckoning.Bytes("replicas", bytes.Writes.Peak, copies),
            Reckoning.Bytes("replicas", rates.Writes.Peak, workload.IndexBytesOfRecord + logged, workload.Replicas),
            (long)(bytes.Reads?.Peak ?? 0));
        return
        [
            new(
                "space",
                $"{ByteAmount.Format(cluster, units)} / {ByteAmount.Format(node.SizeBytes, units)} a node",
                Reckoning.CeilingDivide("node-size", cluster, node.SizeBytes)),
            new(
                "operations",
                $"{Rate.Format(operations)} at peak / {Rate.Format(node.Operations.PerSecond)} a node",
                Reckoning.CeilingDivide("node-operations", Rate.OfSecond(operations), node.Operations)),
            new(
                "bandwidth",
                $"{ByteAmount.Format((long)bandwidth, units)}/s at peak, with indexes and log"
                    + $" / {ByteAmount.Format(node.BytesPerSecond, units)}/s a node",
                Reckoning.CeilingDivide("node-bandwidth", bandwidth, node.BytesPerSecond)),
            new("copies", "each copy on a node of its own", (long)decimal.Ceiling(copies)),
        ];
    }
}
