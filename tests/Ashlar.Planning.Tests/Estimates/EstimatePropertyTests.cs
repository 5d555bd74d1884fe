using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Planning.Tests;

public sealed class EstimatePropertyTests
{
    static readonly (string Name, Func<Workload, Workload> More)[] Factors =
    [
        ("record", w => w with { RecordBytes = w.RecordBytes + 1 }),
        ("records", w => w with { Writes = w.Writes with { Count = w.Writes.Count + 1 } }),
        ("reads", w => w with { Reads = w.Reads!.Value with { Count = w.Reads.Value.Count + 1 } }),
        ("retention", w => w with { Retention = w.Retention + TimeSpan.FromDays(1) }),
        ("replicas", w => w with { Replicas = w.Replicas + 1 }),
        ("index", w => w with { IndexShare = w.IndexShare + 0.01m }),
        ("blob", w => w with { BlobBytes = w.BlobBytes + 1 }),
        ("blob-fraction", w => w with { BlobShare = Math.Min(1, w.BlobShare + 0.01m) }),
        ("blob-replicas", w => w with { BlobReplicas = (w.BlobReplicas ?? w.Replicas) + 0.5m }),
        ("peak", w => w with { PeakFactor = w.PeakFactor + 1 }),
        ("wal", w => w with { LogKept = w.LogKept + TimeSpan.FromHours(1) }),
        ("compaction", w => w with { CompactionShare = w.CompactionShare + 0.01m }),
        ("audit", w => w with { AuditBytes = w.AuditBytes + 1 }),
        ("free", w => w with { FreeShare = w.FreeShare + 0.01m }),
        ("backups", w => w with { Backups = w.Backups + 1 }),
    ];

    [Theory, Seeds(count: 40)]
    public void More_of_any_factor_never_takes_less_of_anything(ulong seed)
    {
        var random = new SeededRandom(seed);
        var workload = Draw(random);
        var before = Estimator.Estimate(workload, UnitSystem.Binary);
        foreach (var (name, more) in Factors)
        {
            var after = Estimator.Estimate(more(workload), UnitSystem.Binary);
            foreach (var row in before.Rows)
                Assert.True(after.Rows.Single(other => other.Id == row.Id).Bytes >= row.Bytes, $"seed {seed}: more {name} makes less {row.Id}");
            foreach (var (limit, later) in before.Limits.Zip(after.Limits))
                Assert.True(later.Nodes >= limit.Nodes, $"seed {seed}: more {name} needs fewer nodes by {limit.Limit}");
            if (name is not ("reads" or "peak")) Assert.True(after.TotalBytes > before.TotalBytes, $"seed {seed}: more {name} does not count");
        }
    }

    [Theory, Seeds(count: 40)]
    public void The_parts_are_the_total(ulong seed)
    {
        var estimate = Estimator.Estimate(Draw(new SeededRandom(seed)), UnitSystem.Binary);
        long Of(string id) => estimate.Rows.Single(row => row.Id == id).Bytes;
        Assert.Equal(estimate.ClusterBytes, Of("indexed") + Of("blobsReplicated") + Of("log") + Of("compaction") + Of("audit") + Of("free"));
        Assert.Equal(estimate.TotalBytes, estimate.ClusterBytes + Of("backups") + Of("blobBackups"));
        Assert.Equal(estimate.TotalBytes, Of("total"));
    }

    static Workload Draw(SeededRandom random) => new()
    {
        RecordBytes = random.Next(1, 2000),
        Writes = new(random.Next(1, 100_000), ((long[])[1, 60, 3600, 86_400])[random.Next(4)]),
        Reads = Rate.OfSecond(random.Next(1, 1_000_000)),
        Retention = TimeSpan.FromHours(random.Next(24, 24 * 365)),
        Replicas = random.Next(1, 6),
        IndexShare = random.Next(0, 200) / 100m,
        BlobBytes = random.Next(1, 2000),
        BlobShare = random.Next(1, 90) / 100m,
        PeakFactor = random.Next(1, 20),
        AuditBytes = random.Next(1, 100),
        FreeShare = random.Next(0, 80) / 100m,
        Backups = random.Next(0, 5),
    };
}
