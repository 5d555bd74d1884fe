namespace Ashlar.Planning.Tests;

/// <summary>Figures are computed by hand; the arithmetic stands beside them.</summary>
public sealed class EstimateTests
{
    [Fact]
    public void Two_hundred_million_records_a_day_for_five_years()
    {
        var estimate = Estimator.Estimate(
            new()
            {
                RecordBytes = 250,
                Writes = Rate.Parse("200M/day"),
                Retention = Period.Parse("1825d"),
                Replicas = 3,
                IndexShare = 0.3m,
                BlobBytes = 2 << 20,
                BlobShare = 0.2m,
            },
            UnitSystem.Binary);

        Expect(estimate, "dailyRaw", 50_000_000_000, "46.57 GiB"); // 250 * 200e6
        Expect(estimate, "totalRaw", 91_250_000_000_000, "82.99 TiB"); // * 1825
        Expect(estimate, "replicated", 273_750_000_000_000, "248.97 TiB"); // * 3
        Expect(estimate, "indexed", 355_875_000_000_000, "323.67 TiB"); // * 1.3
        Expect(estimate, "blobs", 153_092_096_000_000_000, "135.97 PiB"); // 73e9 * 2,097,152
        Expect(estimate, "blobsReplicated", 459_276_288_000_000_000, "407.92 PiB"); // * 3
        Expect(estimate, "log", 195_000_000_000, "181.61 GiB"); // 325 B * 200e6 * 3
        Expect(estimate, "compaction", 106_762_500_000_000, "97.10 TiB"); // 0.3 * indexed
        // (355,875e9 + 459,276,288e9 + 195e9 + 106,762.5e9) / 4 = 459,739,120.5e9 / 4
        Expect(estimate, "free", 114_934_780_125_000_000, "102.08 PiB");
        Expect(estimate, "cluster", 574_673_900_625_000_000, "510.41 PiB"); // 459,739,120.5e9 * 5 / 4
        Expect(estimate, "backups", 118_625_000_000_000, "107.89 TiB"); // 91,250e9 * 1.3
        Expect(estimate, "blobBackups", 153_092_096_000_000_000, "135.97 PiB");
        Expect(estimate, "total", 727_884_621_625_000_000, "646.49 PiB");
        Assert.Equal(365_000_000_000, estimate.Records);
        Assert.Equal(2314.814815m, estimate.Writes.Average); // 200e6 / 86,400
        Assert.Equal("space", estimate.BindsFirst);
    }

    [Fact]
    public void A_schema_of_239_bytes()
    {
        // 8 + 16 + 8 + 11 (3 + 2 * 3 + 2 * 1) + 21 + 121 + (8 + 8) + 1 = 202; 37 of overhead.
        var schema = SchemaFile.Parse(
            """
            # orders
            id          bigint
            customer    uuid
            placed_at   timestamptz
            total       numeric(12,2)
            status      varchar(40) avg 20
            note        text avg 120
            lat         double precision
            lon         double precision
            paid        boolean
            overhead:   37
            index:      customer, placed_at
            """);
        Assert.Equal(239, schema.RecordBytes);
        Assert.Equal(40, schema.IndexBytes); // 16 + 8 + 16
        var estimate = Estimator.Estimate(
            new() { Schema = schema, Writes = Rate.Parse("100M/day"), Retention = Period.Parse("1825d") }, UnitSystem.Binary);
        Expect(estimate, "totalRaw", 43_617_500_000_000, "39.67 TiB"); // 239 * 182.5e9
        Expect(estimate, "indexed", 50_917_500_000_000, "46.31 TiB"); // 279 * 182.5e9
    }

    [Fact]
    public void A_million_users_for_three_years()
    {
        var estimate = Estimator.Estimate(
            new() { RecordBytes = 500, Writes = Rate.OfDay(2_000_000), Reads = Rate.OfDay(10_000_000), Retention = Period.Parse("3y") }, UnitSystem.Binary);
        Expect(estimate, "totalRaw", 1_095_000_000_000, "1,019.80 GiB"); // 500 * 2e6 * 1095
        Assert.Equal("23.1/s", Rate.Format(estimate.Writes.Average)); // 2e6 / 86,400 = 23.148
        Assert.Equal("115.7/s", Rate.Format(estimate.Reads!.Average)); // 10e6 / 86,400 = 115.741
        Assert.Equal(5.0m, estimate.ReadsPerWrite!.Value);
        Assert.Equal("69.4/s", Rate.Format(estimate.Writes.Peak)); // * 3
        Assert.Equal(11_575, estimate.WriteBytes.Average); // 23.148148 * 500, rounded up
        Assert.All(estimate.Limits, limit => Assert.Equal(1, limit.Nodes));
    }

    [Theory]
    [InlineData("1B", "10bn/day", "operations")] // 347,222/s at peak / 20,000 = 18 nodes
    [InlineData("1MiB", "1M/day", "space")]
    [InlineData("100MiB", "1k/s", "bandwidth")]
    public void The_limit_that_asks_for_most_nodes_binds_first(string record, string records, string limit) =>
        Assert.Equal(limit, Estimator.Estimate(
            new()
            {
                RecordBytes = ByteAmount.Parse(record).Bytes,
                Writes = Rate.Parse(records),
                Retention = limit == "bandwidth" ? Period.Parse("1h") : Period.Parse("30d"),
                LogKept = TimeSpan.Zero,
            },
            UnitSystem.Binary).BindsFirst);

    [Fact]
    public void Three_copies_need_three_nodes_whatever_else_would_fit_on_one()
    {
        var estimate = Estimator.Estimate(
            new() { RecordBytes = 100, Writes = Rate.OfSecond(1), Retention = Period.Parse("1d"), Replicas = 3 }, UnitSystem.Binary);
        Assert.Equal(("copies", 3), (estimate.BindsFirst, estimate.Limits.Single(limit => limit.Limit == "copies").Nodes));
    }

    [Fact]
    public void Indexes_and_the_log_are_moved_as_well()
    {
        // 1,000/s at peak x (1 MiB + 0.5 MiB of indexes + 1.5 MiB in the log) x 2 copies = 6,000 MiB/s / 1 GiB/s = 5.9
        var workload = new Workload
        {
            RecordBytes = 1 << 20,
            Writes = Rate.OfSecond(1000),
            PeakFactor = 1,
            IndexShare = 0.5m,
            Replicas = 2,
            Retention = Period.Parse("1h"),
        };
        long Nodes(Workload load) => Estimator.Estimate(load, UnitSystem.Binary).Limits.Single(limit => limit.Limit == "bandwidth").Nodes;
        Assert.Equal((6, 3), (Nodes(workload), Nodes(workload with { LogKept = TimeSpan.Zero }))); // 3,000 MiB/s without the log
    }

    [Theory]
    [InlineData("id bigint primary key\nname text avg 9\nindex: name", "begins with its primary key: the database builds one. Add 'index: id', 24 B a row.")]
    [InlineData("id bigint\nname text avg 9", "names no primary key and has no index that begins with id, its first field.")]
    [InlineData("id bigint primary key\nindex: id, name\nname text avg 9", null)]
    [InlineData("name text avg 9\nid bigint primary key\nindex: id", null)]
    public void A_schema_without_an_index_on_its_key_is_remarked(string schema, string? remark)
    {
        var estimate = Estimator.Estimate(
            new() { Schema = SchemaFile.Parse(schema), Writes = Rate.OfSecond(1), Retention = Period.Parse("1d") }, UnitSystem.Binary);
        if (remark is null) Assert.Empty(estimate.Remarks);
        else Assert.Contains(remark, Assert.Single(estimate.Remarks), StringComparison.Ordinal);
    }

    [Fact]
    public void The_audit_log_is_kept_for_its_own_time()
    {
        var estimate = Estimator.Estimate(
            new()
            {
                RecordBytes = 100,
                Writes = Rate.OfDay(1000),
                Retention = TimeSpan.FromDays(10),
                AuditBytes = 40,
                AuditRetention = TimeSpan.FromDays(365),
                Replicas = 2,
            },
            UnitSystem.Decimal);
        Expect(estimate, "audit", 29_200_000, "29.20 MB", UnitSystem.Decimal); // 40 * 1000 * 365 * 2
    }

    [Fact]
    public void Thirds_do_not_round_up_a_whole_number()
    {
        // 7 a week for a day is one record, whatever 1/7 of a decimal is.
        var estimate = Estimator.Estimate(
            new() { RecordBytes = 21, Writes = Rate.Parse("1/week"), Retention = Period.Parse("4w") }, UnitSystem.Binary);
        Expect(estimate, "dailyRaw", 3, "3 B");
        Expect(estimate, "totalRaw", 84, "84 B");
    }

    [Theory]
    [InlineData(0.5, "Write-heavy")]
    [InlineData(1, "Mixed")]
    [InlineData(9.9, "Mixed")]
    [InlineData(10, "Read-heavy")]
    [InlineData(100, "Nearly all reads")]
    public void A_ratio_implies_something(double reads, string beginning)
    {
        var estimate = Estimator.Estimate(
            new() { RecordBytes = 1, Writes = Rate.OfSecond(1), Reads = Rate.OfSecond((decimal)reads), Retention = TimeSpan.FromDays(1) }, UnitSystem.Binary);
        Assert.StartsWith(beginning, estimate.Implications[0], StringComparison.Ordinal);
    }

    static void Expect(Estimate estimate, string id, long bytes, string shown, UnitSystem units = UnitSystem.Binary)
    {
        var row = Assert.Single(estimate.Rows, row => row.Id == id);
        Assert.Equal((bytes, shown), (row.Bytes, ByteAmount.Format(row.Bytes, units)));
    }
}
