using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

public sealed class CompactionPickerTests : IDisposable
{
    const ulong NoSnapshot = ulong.MaxValue;
    readonly Shelf shelf = new();

    public void Dispose() => shelf.Dispose();

    CompactionPlan? Pick(long batchBytes = 4000, ulong oldestReadable = NoSnapshot, long now = 0)
    {
        var tables = shelf.ToSet();
        try
        {
            return new CompactionPicker(TestStore.Small(TestStore.NewDisk())).Pick(tables, batchBytes, [oldestReadable], now);
        }
        finally
        {
            tables.Release();
        }
    }

    [Fact]
    public void What_has_expired_goes_without_being_read_but_not_before_its_time()
    {
        var first = shelf.AddExpiring(0, 5000, 6000, expiresAt: 200);
        var other = shelf.AddExpiring(3, 1000, 2000, expiresAt: 200);
        shelf.Add(3, 3000, 4000);
        Assert.Null(Pick(now: 199));
        var plan = Pick(now: 200, oldestReadable: 0)!;
        Assert.True(plan.IsDrop);
        Assert.Equal(new HashSet<Table> { first, other }, [.. plan.Inputs]);
    }

    [Theory, InlineData(0), InlineData(1), InlineData(3)]
    public void What_has_expired_stays_a_tombstone_for_what_lies_below_it(int level)
    {
        shelf.AddExpiring(level, 1000, 2000, expiresAt: 200);
        if (level == 0) shelf.Add(0, 1500, 1500, entries: 1); // Older: the shelf fills from the newest on.
        else shelf.Add(5, 1500, 1500, entries: 1);
        Assert.False(Pick(now: 200)?.IsDrop ?? false);
    }

    [Fact]
    public void What_has_expired_goes_with_what_has_expired_below_it()
    {
        shelf.AddExpiring(1, 1000, 2000, expiresAt: 200);
        shelf.AddExpiring(2, 1000, 2000, expiresAt: 100);
        var plan = Pick(now: 200)!;
        Assert.Equal((true, 2), (plan.IsDrop, plan.Inputs.Length));
    }

    [Fact]
    public void A_table_of_which_much_has_expired_is_rewritten_where_it_is_and_by_the_time_it_was_chosen_for()
    {
        var mixed = shelf.AddExpiring(2, 1000, 2000, expiresAt: 200, entries: 10, lasting: 6);
        Assert.Null(Pick(now: 199));
        var plan = Pick(now: 200)!;
        Assert.Equal((2, false, 200L), (plan.OutputLevel, plan.IsDrop, plan.Now));
        Assert.Equal([mixed], plan.Inputs);
    }

    [Fact]
    public void A_table_of_which_little_has_expired_is_left()
    {
        shelf.AddExpiring(2, 1000, 2000, expiresAt: 200, entries: 10, lasting: 8);
        Assert.Null(Pick(now: 200));
    }

    [Fact]
    public void Nothing_is_merged_while_every_level_is_small_enough()
    {
        for (var i = 0; i < 3; i++) shelf.Add(0, 0, 1000);
        shelf.Add(1, 0, 1000);
        Assert.Null(Pick());
    }

    [Fact]
    public void All_of_level_zero_goes_down_at_once_with_what_it_overlaps()
    {
        for (var i = 0; i < 4; i++) shelf.Add(0, 0, 1000);
        var below = shelf.Add(1, 500, 600);
        shelf.Add(1, 5000, 6000);
        var plan = Pick()!;
        Assert.Equal((1, 5, false), (plan.OutputLevel, plan.Inputs.Length, plan.IsMove));
        Assert.Contains(below, plan.Inputs);
    }

    [Fact]
    public void Tables_of_level_zero_that_overlap_nothing_move_without_being_written()
    {
        for (var i = 0; i < 4; i++) shelf.Add(0, i * 1000, (i * 1000) + 999);
        shelf.Add(1, 10_000, 11_000);
        var plan = Pick()!;
        Assert.Equal((1, 4, true), (plan.OutputLevel, plan.Inputs.Length, plan.IsMove));
    }

    [Fact]
    public void Tables_that_overlap_each_other_do_not_move()
    {
        for (var i = 0; i < 4; i++) shelf.Add(0, i * 1000, (i * 1000) + 1000);
        Assert.False(Pick()!.IsMove);
    }

    [Fact]
    public void The_level_that_exceeds_its_share_most_goes_first()
    {
        for (var i = 0; i < 4; i++) shelf.Add(0, 0, 1_000_000);
        shelf.AddMany(1, 12, 0, 1_000_000);
        shelf.AddMany(2, 20, 0, 1_000_000);
        Assert.Equal(2, Pick(batchBytes: 4000)!.OutputLevel);
    }

    [Fact]
    public void The_table_goes_that_rewrites_least_below()
    {
        shelf.AddMany(1, 6, 0, 6000, entries: 40);
        shelf.AddMany(2, 30, 0, 4000);
        var cheap = shelf.Add(2, 4200, 4300);
        shelf.Add(2, 5100, 5200, entries: 40);
        var plan = Pick(batchBytes: 2000)!;
        Assert.Contains(cheap, plan.Inputs);
        Assert.Equal((2, 2), (plan.OutputLevel, plan.Inputs.Length));
    }

    [Fact]
    public void Small_tables_over_a_large_level_are_merged_with_each_other_first()
    {
        for (var i = 0; i < 4; i++) shelf.Add(0, 0, 1_000_000, entries: 2);
        shelf.AddMany(1, 10, 0, 1_000_000, entries: 500);
        var plan = Pick(batchBytes: 1_000_000)!;
        Assert.Equal((0, 4), (plan.OutputLevel, plan.Inputs.Length));
    }

    [Fact]
    public void A_merge_within_level_zero_takes_the_newest_and_leaves_a_much_larger_one()
    {
        for (var i = 0; i < 4; i++) shelf.Add(0, 0, 1_000_000, entries: 2);
        var large = shelf.Add(0, 0, 1_000_000, entries: 100);
        shelf.AddMany(1, 20, 0, 1_000_000, entries: 500);
        var plan = Pick(batchBytes: 1_000_000)!;
        Assert.Equal((0, 4), (plan.OutputLevel, plan.Inputs.Length));
        Assert.DoesNotContain(large, plan.Inputs);
    }

    [Fact]
    public void A_table_of_tombstones_sinks_though_its_level_is_small()
    {
        var dead = shelf.Add(1, 0, 1000, entries: 10, tombstones: 8);
        shelf.Add(2, 500, 600);
        var plan = Pick()!;
        Assert.Equal((2, 2, false), (plan.OutputLevel, plan.Inputs.Length, plan.IsMove));
        Assert.Contains(dead, plan.Inputs);
    }

    [Fact]
    public void Tombstones_with_nothing_below_are_written_anew_and_not_moved()
    {
        shelf.Add(1, 0, 1000, entries: 10, tombstones: 8);
        shelf.Add(2, 5000, 6000);
        var plan = Pick()!;
        Assert.Equal((1, 1, false), (plan.OutputLevel, plan.Inputs.Length, plan.IsMove));
    }

    [Fact]
    public void Tombstones_that_a_snapshot_does_not_see_wait()
    {
        var dead = shelf.Add(1, 0, 1000, entries: 10, tombstones: 8);
        Assert.Null(Pick(oldestReadable: dead.Info.MaxSequence - 1));
        Assert.NotNull(Pick(oldestReadable: dead.Info.MaxSequence));
    }

    [Fact]
    public void Few_tombstones_wait_for_an_ordinary_merge()
    {
        shelf.Add(1, 0, 1000, entries: 10, tombstones: 2);
        Assert.Null(Pick());
    }

    [Theory]
    [InlineData(100, 0, 1)] // Not more than two batches: one level.
    [InlineData(100, 700, 2)]
    [InlineData(100, 5_000, 3)]
    [InlineData(100, 50_000, 4)]
    public void Levels_are_as_many_as_the_size_needs(long batchBytes, long totalBytes, int deepest)
    {
        var sizes = new long[ManifestState.LevelCount];
        sizes[1] = totalBytes;
        var targets = LevelTargets.Compute(sizes, batchBytes);
        Assert.Equal(deepest - 1, targets.Count(target => target < long.MaxValue));
        if (deepest > 1) Assert.Equal(batchBytes, targets[1]);
        for (var level = 2; level < deepest; level++) Assert.InRange((double)targets[level] / targets[level - 1], 2, 8);
    }
}
