namespace Ashlar.Planning.Tests;

public sealed class MigrationTests
{
    [Fact]
    public void A_backfill_is_reckoned_in_batches()
    {
        var plan = Plan(new()
        {
            Change = SchemaChange.ChangeType,
            Rows = 2_000_000_000,
            RowBytes = 400,
            RowRate = Rate.OfSecond(30_000),
            Load = Rate.OfSecond(8_000),
        });
        var backfill = plan.Backfill!;
        Assert.Equal(11_000m, backfill.RowsPerSecond); // (30,000 - 8,000) * 50 %
        Assert.Equal((6000, 333_334), (backfill.BatchRows, backfill.Batches)); // 30,000 * 0.2 s; 2e9 / 6000
        Assert.Equal(0.2, backfill.BatchSeconds!.Value, 1e-9);
        Assert.Equal((6000 / 11_000.0) - 0.2, backfill.PauseSeconds!.Value, 1e-9);
        Assert.Equal(2_000_000_000 / 11_000.0, backfill.Seconds, 0.001); // 181,818 s: 2.1 days
        Assert.Equal(800_000_000_000, backfill.ExtraBytes);
        // Checking reads all rows while users work: at the same rate.
        Assert.Equal(backfill.Seconds, plan.Steps.Single(step => step.Title == "Check").Seconds!.Value, 0.001);
        Assert.Equal(plan.Steps.Sum(step => step.Seconds ?? 0), plan.TotalSeconds);
    }

    [Fact]
    public void Every_change_expands_before_it_contracts_and_every_step_has_a_way_back()
    {
        foreach (var change in Enum.GetValues<SchemaChange>())
        {
            var steps = Plan(new() { Change = change, Rows = 1000 }).Steps;
            string[] order = ["expand", "backfill", "contract"];
            Assert.Equal(steps.OrderBy(step => Array.IndexOf(order, step.Phase)).Select(step => step.Number), Enumerable.Range(1, steps.Count));
            Assert.Equal("contract", steps[^1].Phase);
            Assert.All(steps, step => Assert.All([step.Title, step.Do, step.DoneWhen, step.Rollback], text => Assert.False(string.IsNullOrWhiteSpace(text))));
        }
    }

    [Fact]
    public void More_rows_or_load_never_take_less_time()
    {
        var needs = new MigrationNeeds { Rows = 1_000_000, Load = Rate.OfSecond(1000) };
        var before = Plan(needs).TotalSeconds;
        Assert.True(Plan(needs with { Rows = 1_000_001 }).TotalSeconds > before);
        Assert.True(Plan(needs with { Load = Rate.OfSecond(1001) }).TotalSeconds > before);
        Assert.True(Plan(needs with { RowRate = Rate.OfSecond(9_999) }).TotalSeconds > before);
        Assert.True(Plan(needs with { SpareShare = 0.49m }).TotalSeconds > before);
        Assert.True(Plan(needs with { Soak = TimeSpan.FromDays(8) }).TotalSeconds > before);
    }

    public static TheoryData<string, MigrationNeeds> Bad() => new()
    {
        { "rows", new() { Rows = 0 } },
        { "rows", new() { Rows = long.MaxValue } },
        { "row-size", new() { Rows = 1, RowBytes = 0 } },
        { "row-size", new() { Rows = 1L << 40, RowBytes = 1L << 40, RowRate = Rate.OfSecond(1_000_000_000) } },
        { "row-rate", new() { Rows = 1, RowRate = default } },
        { "load", new() { Rows = 1, Load = Rate.OfSecond(10_000) } },
        { "load", new() { Rows = 1, Load = Rate.OfSecond(-1) } },
        { "spare", new() { Rows = 1, SpareShare = 0 } },
        { "batch-time", new() { Rows = 1, BatchTime = TimeSpan.Zero } },
        { "batch", new() { Rows = 1, BatchRows = 0 } },
        { "batch", new() { Rows = 1, BatchRows = 2 } },
        { "batch", new() { Rows = 10, BatchRows = 2, Change = SchemaChange.AddIndex } },
        { "soak", new() { Rows = 1, Soak = TimeSpan.Zero } },
    };

    [Theory, MemberData(nameof(Bad))]
    public void A_number_that_makes_no_plan_is_named(string input, MigrationNeeds needs) =>
        Assert.Equal(input, Assert.Throws<PlanException>(() => Plan(needs)).Input);

    static MigrationPlan Plan(MigrationNeeds needs) => MigrationPlanner.Plan(needs, UnitSystem.Binary);
}
