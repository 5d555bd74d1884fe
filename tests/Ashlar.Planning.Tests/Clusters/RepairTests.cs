namespace Ashlar.Planning.Tests;

/// <summary>What limits a rebuild, and what a file's life owes to it. The arithmetic stands beside the figures.</summary>
public sealed class RepairTests
{
    [Fact]
    public void A_node_takes_as_long_as_a_drive_since_each_of_its_drives_has_peers_of_its_own()
    {
        var plan = Size(new() { DataBytes = ByteAmount.Parse("200PB").Bytes });
        Assert.Equal(7059, plan.Storage!.Nodes); // 600 PB / 85 TB = 7058.8
        Assert.Equal(17_000, plan.Drives!.RebuildSeconds!.Value, 5.0); // 17 TB / (20 x 50 MB/s)
        Assert.Equal(17_000, plan.Drives.NodeRebuildSeconds!.Value, 5.0); // 85 TB / (5 x 20 x 50 MB/s)
    }

    [Fact]
    public void The_network_of_few_nodes_is_what_limits_many_drives()
    {
        // 300 TB on 4 nodes of 85 TB; a drive has 15 TB, three other nodes give 250 MB/s each, where 19 peers would give 950 MB/s.
        var plan = Size(new() { DataBytes = ByteAmount.Parse("100TB").Bytes });
        Assert.Equal(4, plan.Storage!.Nodes);
        Assert.Equal(20_000, plan.Drives!.RebuildSeconds!.Value, 1e-6);
        Assert.Equal("15.00 TB on it / (3 nodes x 250.00 MB/s of network)", How(plan, "rebuildDrive"));
        var faster = Size(new() { DataBytes = ByteAmount.Parse("100TB").Bytes, RepairBytesPerSecond = 1_000_000_000 });
        Assert.Equal(15e12 / 950e6, faster.Drives!.RebuildSeconds!.Value, 1e-6);
    }

    [Fact]
    public void With_as_many_nodes_as_copies_a_drive_comes_back_on_its_own_node()
    {
        // 3 nodes of 5 drives: 240 TB / 15 = 16 TB on each; the four others of the node take 4 x 50 MB/s, all from the network.
        var plan = Size(new() { DataBytes = ByteAmount.Parse("80TB").Bytes });
        Assert.Equal(3, plan.Storage!.Nodes);
        Assert.Equal(16e12 / 200e6, plan.Drives!.RebuildSeconds!.Value, 1e-6);
        Assert.Equal(80e12 / 250e6, plan.Drives.NodeRebuildSeconds!.Value, 1e-6); // Five drives, of which the network feeds 250 MB/s.
    }

    [Fact]
    public void A_loss_too_small_for_a_difference_from_one_is_still_a_number()
    {
        // 60,000 nodes by writes; 300 TB / 300,000 drives / 1 GB/s = 1 s; T = 601 s; 3 f (f T)^2 = 3.7615e-15
        var plan = Size(new() { DataBytes = ByteAmount.Parse("100TB").Bytes, Writes = Rate.Parse("10M/s"), RequestBytes = 4000 });
        Assert.Equal(60_000, plan.Storage!.Nodes);
        Assert.Equal(3.7615e-15, plan.Durability!.LossPerObjectYear, 0.0001e-15);
        Assert.Equal(("14 nines", "3.8e-15"), (Answer(plan, "durability"), Answer(plan, "lossPerYear")));
    }

    [Fact]
    public void More_nines_than_anything_deserves_are_not_counted()
    {
        var plan = Size(new() { DataBytes = 1, Replicas = 6 });
        Assert.True(plan.Durability!.LossPerObjectYear > 0);
        Assert.Equal("more than 15 nines", Answer(plan, "durability"));
    }

    [Fact]
    public void An_erasure_code_takes_less_space_and_reads_its_parts_of_data_to_make_one_again()
    {
        // 500 TB x 12/8 = 750 TB on 12 nodes (9 would hold it), 12.5 TB a drive. No other node: four drives x 50 MB/s, eight parts to read.
        var plan = Size(new() { DataBytes = ByteAmount.Parse("500TB").Bytes, Erasure = new(8, 4) });
        Assert.Equal((12, 9, "copies", 750_000_000_000_000), (plan.Storage!.Nodes, plan.Storage.ByCapacity, plan.Storage.BindsFirst, plan.Storage.StoredBytes));
        Assert.Equal(500_000, plan.Drives!.RebuildSeconds!.Value, 1e-6);
        // f = 0.0151136; T = 500,600 s = 0.0158739 years; 12 f (f T)^4 C(11, 4) = 1.9828e-13
        Assert.Equal(1.9828e-13, plan.Durability!.LossPerObjectYear, 0.0001e-13);
    }

    [Theory]
    [InlineData(3, null)]
    [InlineData(2, null)]
    [InlineData(12, "8+4")]
    [InlineData(5, "4+1")]
    [InlineData(16, "10+6")]
    public void The_formula_is_the_time_to_loss_of_the_chain_of_failures_and_rebuilds(int pieces, string? code)
    {
        var needs = new ClusterNeeds { DataBytes = ByteAmount.Parse("10PB").Bytes, Replicas = pieces, Erasure = code is null ? null : ErasureCode.Parse(code) };
        var plan = Size(needs);
        var spare = code is null ? pieces - 1 : needs.Erasure!.Parity;
        var f = -Math.Log(1 - 0.015);
        var t = (600 + plan.Drives!.RebuildSeconds!.Value) / Rate.YearSeconds;
        // Mean time from k lost pieces to k + 1, for k up to the last that may be missing: it may first go back to k - 1.
        var (meanTime, step) = (0.0, 0.0);
        for (var k = 0; k <= spare; k++)
        {
            var fails = (pieces - k) * f;
            step = (1 / fails) + (k / t / fails * step);
            meanTime += step;
        }

        Assert.Equal(1 / meanTime, plan.Durability!.LossPerObjectYear, 0.02 / meanTime);
    }

    [Fact]
    public void A_rack_takes_one_copy_and_the_others_make_it_again()
    {
        var plan = Size(new() { DataBytes = ByteAmount.Parse("200PB").Bytes, Racks = 100 });
        Assert.Equal((71, 1), (plan.Rack!.Nodes, plan.Rack.PiecesLost)); // 7059 / 100
        Assert.Equal(17_000, plan.Rack.RebuildSeconds!.Value, 5.0); // 71 x 85 TB / (71 x 5 x 20 x 50 MB/s)
        Assert.Equal("2 copies left", Answer(plan, "rack"));
    }

    [Theory]
    [InlineData(3, 0.85, "the other racks are too few for 3 copies apart")]
    [InlineData(5, 0.90, "the other racks have no room for what was in it")] // 80 % of the nodes hold 90 % of what all hold.
    public void What_the_other_racks_cannot_take_waits_for_the_rack(int racks, double fill, string why)
    {
        var plan = Size(new() { DataBytes = ByteAmount.Parse("20PB").Bytes, Racks = racks, FillShare = (decimal)fill });
        Assert.Null(plan.Rack!.RebuildSeconds);
        Assert.Equal((why, "when it is back"), (How(plan, "rebuildRack"), Answer(plan, "rebuildRack")));
    }

    [Fact]
    public void A_code_needs_racks_that_lose_no_more_parts_than_may_be_missing()
    {
        var needs = new ClusterNeeds { DataBytes = ByteAmount.Parse("500TB").Bytes, Erasure = new(8, 4) };
        Assert.Equal(4, Size(needs with { Racks = 3 }).Rack!.PiecesLost);
        Assert.Contains("at least 3 racks", Assert.Throws<PlanException>(() => Size(needs with { Racks = 2 })).Message, StringComparison.Ordinal);
        Assert.Equal(20, Size(needs with { Racks = 20 }).Storage!.Nodes); // One in each.
    }

    [Fact]
    public void Growth_is_of_all_that_is_asked_for()
    {
        var plan = Size(new()
        {
            Files = 1_000_000_000,
            MeanBytes = 1_000_000,
            Reads = Rate.OfSecond(10_000),
            NodeReads = Rate.OfSecond(100),
            GrowthShare = 0.3m,
            GrowthYears = 3,
        });
        // 1.3^3 = 2.197: 3 x 2.197 PB / 85 TB = 77.5; 21,970/s / 100 = 219.7; 2.197e9 entries / 100 M = 21.97
        Assert.Equal((78, 220L, 22L), (plan.Storage!.ByCapacity, plan.Storage.ByReads!.Value, plan.MetadataShards!.Value));
        Assert.Equal("x 2.2", Answer(plan, "growth"));
    }

    [Theory]
    [InlineData("8", "write parts of data and of parity, such as 8+4")]
    [InlineData("8+0", "expected 1 to 100 parts of parity")]
    [InlineData("x+4", "expected 1 to 100 parts of data")]
    [InlineData("8+4+2", "write parts of data and of parity")]
    public void A_bad_code_says_why(string text, string why) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => ErasureCode.Parse(text)).Message, StringComparison.Ordinal);

    static string Answer(ClusterPlan plan, string id) => plan.Rows.Single(row => row.Id == id).Answer;

    static string How(ClusterPlan plan, string id) => plan.Rows.Single(row => row.Id == id).How;

    static ClusterPlan Size(ClusterNeeds needs) => ClusterSizer.Size(needs, UnitSystem.Decimal);
}
