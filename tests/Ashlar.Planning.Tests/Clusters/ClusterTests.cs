using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Planning.Tests;

/// <summary>Figures are computed by hand; the arithmetic stands beside them.</summary>
public sealed class ClusterTests
{
    [Fact]
    public void Twelve_billion_entries_are_120_shards() =>
        Assert.Equal(120, Size(new() { Entries = 12_000_000_000, EntriesPerShard = 100_000_000 }).MetadataShards);

    [Theory]
    [InlineData(70)]
    [InlineData(100)]
    public void Copies_beyond_floating_point_have_a_number_of_nines(int replicas)
    {
        var durability = Size(new() { DataBytes = 100_000_000_000_000, Replicas = replicas }).Durability!;
        Assert.Equal((300, 1e-300), (durability.Nines, durability.LossPerObjectYear));
    }

    [Fact]
    public void What_is_too_large_names_an_input()
    {
        var much = new Rate(long.MaxValue, 1);
        var needs = new ClusterNeeds { DataBytes = 1, RequestBytes = 1 };
        foreach (var (input, too) in ((string, ClusterNeeds)[])
        [
            ("node-reads", needs with { Reads = much, NodeReads = new Rate(0.001m, Rate.YearSeconds) }),
            ("node-writes", needs with { Writes = much, NodeWrites = new Rate(0.001m, Rate.YearSeconds) }),
            ("growth", needs with { Reads = much, GrowthShare = 100, GrowthYears = 4 }),
            ("key-operations", new() { Keys = 1, KeyOperations = much, PartitionOperations = new Rate(0.001m, Rate.YearSeconds) }),
            ("drive-size", needs with { DataBytes = long.MaxValue / 3, NodeBytes = long.MaxValue / 3, DriveBytes = 1 }),
        ])
            Assert.Equal(input, Assert.Throws<PlanException>(() => Size(too)).Input);
    }

    [Fact]
    public void One_entry_more_is_one_shard_more() =>
        Assert.Equal(121, Size(new() { Entries = 12_000_000_001, EntriesPerShard = 100_000_000 }).MetadataShards);

    [Theory]
    [InlineData("2000/min", 3000)] // 33 1/3 a second: 100,000 / 33.33 = 3,000
    [InlineData("33/s", 3031)] // 100,000 / 33 = 3,030.3; 3,000 would serve 99,000
    public void Two_hundred_PB_three_times_on_100_TB_are_6000_nodes_and_about_3000_of_them_busy(string nodeReads, long busy)
    {
        var plan = Size(new()
        {
            DataBytes = ByteAmount.Parse("200PB").Bytes,
            NodeBytes = ByteAmount.Parse("100TB").Bytes,
            FillShare = 1,
            Replicas = 3,
            Reads = Rate.Parse("100k/s"),
            NodeReads = Rate.Parse(nodeReads),
            RequestBytes = 1_000_000,
        });
        Assert.Equal((6000, 6000, busy, "capacity"), (plan.Storage!.Nodes, plan.Storage.ByCapacity, plan.Storage.ByReads, plan.Storage.BindsFirst));
        Assert.Equal(busy == 3000 ? "3,000" : "3,031 (about 3,000)", plan.Rows.Single(row => row.Id == "nodesByReads").Answer);
        Assert.Equal(100, plan.Storage.ByBandwidth); // 100,000 * 1 MB = 100 GB/s / 1 GB/s
    }

    [Fact]
    public void Three_reads_of_a_drive_for_one_of_a_client_count()
    {
        // 100,000 * 3 / 100 = 3,000: the 33 reads a second of a node are 100 of its drive.
        var needs = new ClusterNeeds { DataBytes = 1L << 40, Reads = Rate.OfSecond(100_000), NodeReads = Rate.OfSecond(100), IoPerRead = 3, RequestBytes = 1 };
        Assert.Equal((3000, "reads"), (Size(needs).Storage!.Nodes, Size(needs).Storage!.BindsFirst));
    }

    [Fact]
    public void Drives_fail_and_are_rebuilt()
    {
        // 35,300 drives of 20 TB, 85 % full; 1.5 % a year.
        var plan = Size(new()
        {
            DataBytes = 200_033_333_333_333_333, // x 3 = 600.1 PB = 35,300 x 17 TB
            NodeBytes = 20_000_000_000_000,
        });
        Assert.Equal(35_300, plan.Drives!.Drives);
        Assert.Equal(1.45, plan.Drives.FailuresPerDay, 0.005); // 35,300 * 0.015 / 365
        Assert.Equal(17_000, plan.Drives.RebuildSeconds!.Value, 0.5); // 17 TB / (20 * 50 MB/s): 4.7 h
        // f = -ln(0.985) = 0.015114; T = 600 s + 17,000 s = 0.00055809 years; 3 f (f T)^2 = 3.226e-12
        Assert.Equal(3.226e-12, plan.Durability!.LossPerObjectYear, 0.001e-12);
        Assert.Equal(11.5, plan.Durability.Nines, 0.05);
        Assert.Equal(3, plan.Durability.Assumptions.Count);
    }

    [Fact]
    public void One_copy_is_lost_with_its_drive_and_nothing_rebuilds_it()
    {
        var plan = Size(new() { DataBytes = 1 << 30, Replicas = 1, AnnualFailureShare = 0.02m });
        Assert.Equal(0.02, plan.Durability!.LossPerObjectYear, 1e-9);
        Assert.Equal((null, null), (plan.Drives!.RebuildSeconds, plan.Drives.NodeRebuildSeconds));
        Assert.Equal("none", Answer(plan, "rebuildDrive"));
        Assert.DoesNotContain(plan.Rows, row => row.Id == "rebuildNode");
        Assert.Equal("1 nine", Answer(plan, "durability")); // 0.02 is 1.7 of them
    }

    [Fact]
    public void Drives_are_85_percent_full_unless_said_otherwise() =>
        Assert.Equal(118, Size(new() { DataBytes = ByteAmount.Parse("10PB").Bytes, Replicas = 1 }).Storage!.Nodes); // 10 PB / 85 TB = 117.6

    [Fact]
    public void A_drive_is_no_larger_than_a_small_node() =>
        Assert.Equal(3, Size(new() { DataBytes = 1, NodeBytes = 15_000_000_000_000 }).Drives!.Drives);

    [Fact]
    public void Each_copy_needs_a_node_of_its_own() =>
        Assert.Equal((3, "copies"), (Size(new() { DataBytes = 1 }).Storage!.Nodes, Size(new() { DataBytes = 1 }).Storage!.BindsFirst));

    [Fact]
    public void Partitions_follow_size_or_operations()
    {
        // 5e9 * 1 KiB = 5.12e12 B / 50 GiB (53,687,091,200) = 95.4
        Assert.Equal(96, Size(new() { Keys = 5_000_000_000 }).Partitions);
        Assert.Equal(200, Size(new() { Keys = 5_000_000_000, KeyOperations = Rate.OfSecond(2_000_000) }).Partitions);
    }

    [Theory, Seeds(count: 40)]
    public void More_to_hold_or_to_do_never_needs_less(ulong seed)
    {
        var random = new SeededRandom(seed);
        var needs = new ClusterNeeds
        {
            Files = random.Next(1, 1_000_000_000),
            MeanBytes = random.Next(1, 100_000_000),
            Replicas = random.Next(1, 5),
            NodeBytes = random.NextInt64(100_000_000_000_000) + 1_000_000_000,
            Reads = Rate.OfSecond(random.Next(1, 100_000)),
            Writes = Rate.OfSecond(random.Next(1, 10_000)),
            NodeReads = Rate.OfSecond(random.Next(1, 1000)),
            NodeWrites = Rate.OfSecond(random.Next(1, 1000)),
            Keys = random.Next(1, int.MaxValue),
            KeyOperations = Rate.OfSecond(random.Next(1, 1_000_000)),
        };
        (string, ClusterNeeds)[] more =
        [
            ("files", needs with { Files = needs.Files * 2 }),
            ("mean-size", needs with { MeanBytes = needs.MeanBytes * 2 }),
            ("replicas", needs with { Replicas = needs.Replicas + 1 }),
            ("reads", needs with { Reads = Rate.OfSecond(needs.Reads.Value.Count * 2) }),
            ("writes", needs with { Writes = Rate.OfSecond(needs.Writes.Value.Count * 2) }),
            ("io-per-read", needs with { IoPerRead = 2 }),
            ("keys", needs with { Keys = needs.Keys * 2 }),
            ("key-value-size", needs with { KeyValueBytes = needs.KeyValueBytes * 2 }),
            ("key-operations", needs with { KeyOperations = Rate.OfSecond(needs.KeyOperations.Value.Count * 2) }),
            ("smaller node-size", needs with { NodeBytes = needs.NodeBytes / 2 }),
            ("less fill", needs with { FillShare = 0.5m }),
        ];
        var before = Size(needs);
        foreach (var (name, changed) in more)
        {
            var after = Size(changed);
            Assert.True(after.Storage!.Nodes >= before.Storage!.Nodes, $"seed {seed}: {name}");
            Assert.True(after.MetadataShards >= before.MetadataShards, $"seed {seed}: {name}");
            Assert.True(after.Partitions >= before.Partitions, $"seed {seed}: {name}");
        }

        var moreCopies = Size(needs with { Replicas = needs.Replicas + 1 });
        Assert.True(moreCopies.Durability!.LossPerObjectYear <= before.Durability!.LossPerObjectYear || before.Drives!.RebuildSeconds > 1e6, $"seed {seed}: durability");
    }

    public static TheoryData<string, ClusterNeeds> Bad()
    {
        var sound = new ClusterNeeds { Files = 1000, MeanBytes = 1000 };
        return new()
        {
            { "size", new() },
            { "files", new() { Files = 1 } },
            { "files", sound with { Files = 0 } },
            { "mean-size", new() { MeanBytes = 1, Entries = 1 } },
            { "mean-size", sound with { MeanBytes = -1 } },
            { "mean-size", sound with { Files = long.MaxValue } },
            { "size", sound with { DataBytes = 1 } },
            { "size", new() { DataBytes = 0 } },
            { "replicas", sound with { Replicas = 0 } },
            { "replicas", new() { DataBytes = long.MaxValue, Replicas = 2 } },
            { "node-size", sound with { NodeBytes = 0 } },
            { "fill", sound with { FillShare = 0 } },
            { "fill", sound with { FillShare = 1.1m } },
            { "drive-size", sound with { DriveBytes = 0 } },
            { "reads", sound with { Reads = Rate.OfSecond(0) } },
            { "reads", new() { Entries = 1, Reads = Rate.OfSecond(1) } },
            { "writes", sound with { Writes = Rate.OfSecond(-1) } },
            { "writes", new() { Keys = 1, Writes = Rate.OfSecond(1) } },
            { "node-reads", sound with { NodeReads = Rate.OfSecond(0) } },
            { "node-writes", sound with { NodeWrites = Rate.OfSecond(0) } },
            { "io-per-read", sound with { IoPerRead = 0 } },
            { "request-size", sound with { RequestBytes = 0 } },
            { "request-size", new() { DataBytes = 1, Reads = Rate.OfSecond(1) } },
            { "request-size", sound with { RequestBytes = long.MaxValue, Reads = Rate.OfSecond(10) } },
            { "node-bandwidth", sound with { NodeBytesPerSecond = 0 } },
            { "entries", sound with { Entries = 0 } },
            { "entries-per-shard", sound with { EntriesPerShard = 0 } },
            { "keys", new() { Keys = 0 } },
            { "key-value-size", new() { Keys = 1, KeyValueBytes = 0 } },
            { "key-value-size", new() { Keys = long.MaxValue, KeyValueBytes = 2 } },
            { "key-operations", sound with { KeyOperations = Rate.OfSecond(1) } },
            { "partition-size", new() { Keys = 1, PartitionBytes = 0 } },
            { "partition-operations", new() { Keys = 1, PartitionOperations = default } },
            { "afr", sound with { AnnualFailureShare = 0 } },
            { "rebuild-peers", sound with { RebuildPeers = 0 } },
            { "rebuild-rate", sound with { RebuildBytesPerSecond = 0 } },
            { "repair-bandwidth", sound with { RepairBytesPerSecond = 0 } },
            { "repair-bandwidth", sound with { RepairBytesPerSecond = 2_000_000_000 } },
            { "detect", sound with { DetectTime = TimeSpan.FromSeconds(-1) } },
            { "drive-size", sound with { DriveBytes = 20_000_000_000_000, NodeBytes = 15_000_000_000_000 } },
            { "erasure", sound with { Erasure = new(8, 0) } },
            { "erasure", new() { DataBytes = long.MaxValue, Erasure = new(8, 4) } },
            { "racks", sound with { Racks = 0 } },
            { "racks", sound with { Racks = 5, Replicas = 1 } },
            { "racks", sound with { Racks = 1 } },
            { "racks", sound with { Racks = 2, Erasure = new(8, 4) } },
            { "growth", sound with { GrowthShare = 0.3m } },
            { "growth", sound with { GrowthShare = 100, GrowthYears = 50 } },
            { "growth", sound with { GrowthShare = 1, GrowthYears = 29, Entries = long.MaxValue } },
            { "years", sound with { GrowthYears = 3 } },
            { "years", sound with { GrowthShare = 0.3m, GrowthYears = -1 } },
        };
    }

    [Theory, MemberData(nameof(Bad))]
    public void A_number_that_makes_no_plan_is_named(string input, ClusterNeeds needs) =>
        Assert.Equal(input, Assert.Throws<PlanException>(() => Size(needs)).Input);

    static string Answer(ClusterPlan plan, string id) => plan.Rows.Single(row => row.Id == id).Answer;

    static ClusterPlan Size(ClusterNeeds needs) => ClusterSizer.Size(needs, UnitSystem.Decimal);
}
