namespace Ashlar.Planning.Tests;

/// <summary>What cannot be reckoned names the factor that went too far.</summary>
public sealed class EstimateLimitTests
{
    static readonly Workload Sound = new() { RecordBytes = 1000, Writes = Rate.OfSecond(1000), Retention = TimeSpan.FromDays(365) };

    public static TheoryData<string, Workload> Bad() => new()
    {
        { "record", Sound with { RecordBytes = null } },
        { "record", Sound with { RecordBytes = 0 } },
        { "record", Sound with { RecordBytes = -1 } },
        { "schema", Sound with { Schema = SchemaFile.Parse("id int") } },
        { "index", Sound with { RecordBytes = null, Schema = SchemaFile.Parse("id int"), IndexShare = 0.1m } },
        { "index", Sound with { IndexShare = -0.1m } },
        { "records", Sound with { Writes = default } },
        { "records", Sound with { Writes = Rate.OfSecond(-1) } },
        { "reads", Sound with { Reads = Rate.OfSecond(-1) } },
        { "retention", Sound with { Retention = TimeSpan.Zero } },
        { "replicas", Sound with { Replicas = 0 } },
        { "blob", Sound with { BlobShare = 0.1m } },
        { "blob", Sound with { BlobBytes = -1 } },
        { "blob-fraction", Sound with { BlobBytes = 10 } },
        { "blob-fraction", Sound with { BlobBytes = 10, BlobShare = 1.1m } },
        { "blob-replicas", Sound with { BlobReplicas = 0.5m } },
        { "peak", Sound with { PeakFactor = 0.9m } },
        { "wal", Sound with { LogKept = TimeSpan.FromSeconds(-1) } },
        { "compaction", Sound with { CompactionShare = -1 } },
        { "audit", Sound with { AuditBytes = -1 } },
        { "audit-retention", Sound with { AuditRetention = TimeSpan.Zero } },
        { "free", Sound with { FreeShare = 1 } },
        { "backups", Sound with { Backups = -1 } },
        { "blob-backups", Sound with { BlobBackups = -1 } },
        { "node-size", Sound with { Node = new() { SizeBytes = 0 } } },
        { "node-operations", Sound with { Node = new() { Operations = default } } },
        { "node-bandwidth", Sound with { Node = new() { BytesPerSecond = 0 } } },
        { "records", Sound with { RecordBytes = long.MaxValue } },
        { "records", Sound with { Writes = Rate.OfSecond(long.MaxValue) } },
        { "retention", Sound with { RecordBytes = 1L << 40, Writes = Rate.OfSecond(10) } },
        { "retention", Sound with { Writes = Rate.OfSecond(1_000_000_000_000) } },
        { "replicas", Sound with { RecordBytes = 200_000_000, Replicas = 100 } },
        { "index", Sound with { RecordBytes = 200_000_000, IndexShare = 2 } },
        { "blob", Sound with { BlobBytes = 1L << 50, BlobShare = 1 } },
        { "blob-replicas", Sound with { BlobBytes = 200_000_000, BlobShare = 1, BlobReplicas = 2 } },
        { "compaction", Sound with { RecordBytes = 200_000_000, CompactionShare = 5 } },
        { "audit", Sound with { AuditBytes = 1L << 40 } },
        { "audit-retention", Sound with { AuditBytes = 100_000_000, AuditRetention = TimeSpan.FromDays(3650) } },
        { "free", Sound with { RecordBytes = 100_000_000, CompactionShare = 0, FreeShare = 0.95m } },
        { "backups", Sound with { RecordBytes = 100_000_000, Backups = 10_000 } },
        { "blob-backups", Sound with { BlobBytes = 100_000_000, BlobShare = 1, BlobBackups = 10_000 } },
        { "wal", Sound with { RecordBytes = 1_000_000, LogKept = TimeSpan.FromDays(365_000), Writes = Rate.OfSecond(1_000_000), Retention = TimeSpan.FromDays(1) } },
    };

    [Theory, MemberData(nameof(Bad))]
    public void A_number_that_makes_no_plan_is_named(string input, Workload workload) =>
        Assert.Equal(input, Assert.Throws<PlanException>(() => Estimator.Estimate(workload, UnitSystem.Binary)).Input);

    [Fact]
    public void Just_below_eight_EiB_is_reckoned()
    {
        var workload = Sound with { RecordBytes = 1, Writes = Rate.OfDay(4_000_000_000_000_000_000), Retention = TimeSpan.FromDays(1), LogKept = TimeSpan.Zero, CompactionShare = 0, FreeShare = 0, Node = new() { SizeBytes = 1, Operations = Rate.OfSecond(1), BytesPerSecond = 1 } };
        Assert.Equal(8_000_000_000_000_000_000, Estimator.Estimate(workload, UnitSystem.Decimal).TotalBytes);
    }
}
