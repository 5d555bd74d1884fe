namespace Ashlar.KeyValue.Tests;

[Trait("disk", "any")]
public sealed class FullDiskPickerTests : IDisposable
{
    const long MovedBytes = 1 << 20;

    readonly Shelf shelf = new();

    public void Dispose() => shelf.Dispose();

    CompactionPlan? Pick()
    {
        var disk = TestStore.AnyDisk();
        disk.CreateDirectory(TestStore.Directory);
        using var manifest = Manifest.Create(new StoreFiles(disk, TestStore.Directory), TestStore.Small(disk));
        var tables = shelf.ToSet();
        try
        {
            return new FullDiskPicker(manifest).Pick(tables, [ulong.MaxValue], MovedBytes, now: 0);
        }
        finally
        {
            tables.Release();
        }
    }

    [Fact]
    public void The_oldest_table_of_level_zero_goes_down_alone()
    {
        shelf.Add(0, 0, 100, tombstones: 10);
        var oldest = shelf.Add(0, 0, 100, tombstones: 10);
        shelf.Add(1, 1000, 2000, entries: 100, tombstones: 40);
        var plan = Pick()!;
        Assert.Equal(1, plan.OutputLevel);
        Assert.Equal([oldest], plan.Inputs);
    }

    // As long as somebody deletes there is always another table in level 0: what deletes free would come back when they end, and
    // they would have to end because it does not come back.
    [Fact]
    public void Tombstones_that_have_gathered_go_on_before_more_come_from_level_zero()
    {
        shelf.Add(0, 0, 100, tombstones: 10);
        var gathered = shelf.Add(1, 1000, 2000, entries: 100, tombstones: 41);
        shelf.Add(1, 3000, 4000, entries: 100, tombstones: 30);
        var shadowed = shelf.Add(2, 1500, 1600);
        var plan = Pick()!;
        Assert.Equal(2, plan.OutputLevel);
        Assert.Equal([gathered, shadowed], plan.Inputs);
    }

    [Fact]
    public void Tombstones_vanish_where_nothing_lies_below_them()
    {
        var last = shelf.Add(2, 1000, 2000, tombstones: 1);
        var plan = Pick()!;
        Assert.Equal(2, plan.OutputLevel);
        Assert.Equal([last], plan.Inputs);
    }

    [Fact]
    public void Puts_in_level_zero_go_down_when_no_tombstones_wait()
    {
        var oldest = shelf.Add(0, 0, 100);
        shelf.Add(1, 50, 60);
        Assert.Contains(oldest, Pick()!.Inputs);
    }
}
