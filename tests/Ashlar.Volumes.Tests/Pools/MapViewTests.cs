using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>The volumes and their maps as they are at one moment.</summary>
public sealed class MapViewTests
{
    readonly SimulatedFileSystem disk = new(isRecording: false);

    [Fact]
    public async Task Each_block_that_was_written_is_where_the_device_has_it()
    {
        await using var pool = await TestPool.CreateAsync(disk: disk);
        var volume = await pool.CreateVolumeAsync("disk", 64 << 20);
        long[] written = [0, 1, 2, 15, 16, 255, 256, 300, 5000];
        foreach (var block in written) await volume.WriteAsync(new Lba(block), CrashedPool.Content((int)block));
        await pool.CreateVolumeAsync("other", 1 << 20);
        using var view = await pool.Pool.OpenMapViewAsync();
        var info = view.Volumes[0];
        Assert.Equal(["disk", "other"], view.Volumes.Select(each => each.Name));
        Assert.Equal(pool.Pool.FindVolume("disk"), info);
        var blocks = view.ReadRuns(info).Where(run => run.HoldsData)
            .SelectMany(
                run => Enumerable.Range(0, (int)run.BlockCount),
                (run, i) => (Block: run.FirstBlock + i, Place: run.PlaceBytes + (i * 4096L)))
            .ToArray();
        Assert.Equal(written, blocks.Select(each => each.Block));
        Assert.All(blocks, each => Assert.Equal(CrashedPool.Find(disk, CrashedPool.Content((int)each.Block)), each.Place));
        Assert.Empty(view.ReadRuns(view.Volumes[1]));
        Assert.Equal(written.Where(block => block >= 256), view.ReadRuns(info, 256).Where(run => run.HoldsData)
            .SelectMany(run => Enumerable.Range(0, (int)run.BlockCount).Select(i => run.FirstBlock + i)));
        Assert.Equal(view.ReadRuns(info).Sum(run => run.BlockCount) * 4096, info.AllocatedBytes);
    }

    [Fact]
    public async Task It_stays_as_it_was_while_volumes_go_on()
    {
        await using var pool = await TestPool.CreateAsync(disk: disk);
        var volume = await pool.CreateVolumeAsync("disk", 16 << 20);
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(1, 20));
        await pool.CreateVolumeAsync("trashed", 1 << 20);
        await pool.Pool.TrashVolumeAsync("trashed");
        using var view = await pool.Pool.OpenMapViewAsync();
        var before = view.ReadRuns(view.Volumes[0]).ToArray();
        await volume.WriteAsync(new Lba(1000), CrashedPool.Content(2));
        await pool.Pool.CommitAsync();
        await pool.Pool.DeleteVolumeAsync("disk");
        await pool.SettleAsync();
        Assert.Equal("disk", Assert.Single(view.Volumes).Name);
        Assert.Equal(before, view.ReadRuns(view.Volumes[0]));
        Assert.Equal(20, before.Where(run => run.HoldsData).Sum(run => run.BlockCount));
    }

    [Fact]
    public async Task A_thick_volume_has_places_without_data_and_the_last_block_may_be_half()
    {
        await using var pool = await TestPool.CreateAsync(disk: disk);
        await pool.CreateVolumeAsync("thick", (2 * 65536) + 512, blockSizeBytes: 512, isThick: true);
        using var view = await pool.Pool.OpenMapViewAsync();
        var runs = view.ReadRuns(view.Volumes[0]).ToArray();
        Assert.All(runs, run => Assert.False(run.HoldsData));
        Assert.Equal(33, runs.Sum(run => run.BlockCount));
    }

    [Fact]
    public async Task A_piece_of_the_map_that_cannot_be_read_is_told_and_left_out()
    {
        await using (var pool = await TestPool.CreateAsync(disk: disk))
        {
            var volume = await pool.CreateVolumeAsync("disk", 16 << 20);
            foreach (var leaf in (int[])[0, 1, 2]) await volume.WriteAsync(new Lba(leaf * 256), CrashedPool.Content(1));
        }
        DamagedMap.DamageLeaf(disk, "disk", fromLeaf: 1);
        await using var reopened = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2));
        using var view = await reopened.Pool.OpenMapViewAsync();
        var damage = new List<Exception>();
        var found = view.ReadRuns(view.Volumes[0], onDamage: damage.Add).Where(run => run.HoldsData).Select(run => run.FirstBlock);
        Assert.Equal([0L, 512], found);
        Assert.Single(damage);
    }

    [Fact]
    public async Task A_damaged_piece_of_what_a_clone_came_from_does_not_show_what_lies_behind_it()
    {
        await using (var pool = await TestPool.CreateAsync(disk: disk))
        {
            var first = await pool.CreateVolumeAsync("first", 4 << 20);
            foreach (var block in (int[])[0, 300]) await first.WriteAsync(new Lba(block), CrashedPool.Content(block));
            await pool.Pool.TakeSnapshotAsync("first", "s");
            await pool.Pool.CloneAsync("first", "s", "second");
            await pool.Pool.OpenVolume("second")!.WriteAsync(new Lba(1), CrashedPool.Content(1));
            await pool.Pool.TakeSnapshotAsync("second", "s");
            await pool.Pool.CloneAsync("second", "s", "third");
        }

        Assert.Equal(0, DamagedMap.DamageLeaf(disk, "second", isCut: true));
        await using var reopened = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2));
        using var view = await reopened.Pool.OpenMapViewAsync();
        var damage = new List<Exception>();
        var third = view.Volumes.Single(each => each.Name == "third");
        var found = view.ReadRuns(third, onDamage: damage.Add).Where(run => run.HoldsData).Select(run => run.FirstBlock);
        Assert.Equal([300L], found);
        Assert.Single(damage);
    }

    [Fact]
    public async Task What_snapshots_and_clones_share_is_told_and_found_where_it_lies()
    {
        await using var pool = await TestPool.CreateAsync(disk: disk);
        var volume = await pool.CreateVolumeAsync("disk", 4 << 20);
        foreach (var block in (int[])[0, 1, 300]) await volume.WriteAsync(new Lba(block), CrashedPool.Content(block));
        var first = await pool.Pool.TakeSnapshotAsync("disk", "first");
        await volume.WriteAsync(new Lba(1), CrashedPool.Content(1001));
        await volume.WriteAsync(new Lba(600), CrashedPool.Content(1600));
        var second = await pool.Pool.TakeSnapshotAsync("disk", "second");
        await volume.WriteAsync(new Lba(600), CrashedPool.Content(2600));
        await pool.Pool.CloneAsync("disk", "first", "clone");
        await pool.Pool.OpenVolume("clone")!.WriteAsync(new Lba(301), CrashedPool.Content(3301));

        using var view = await pool.Pool.OpenMapViewAsync();
        var (clone, source) = (view.Volumes[0], view.Volumes[1]);
        Assert.Equal(("clone", first.Id), (clone.Name, view.FindOrigin(clone)));
        Assert.Null(view.FindOrigin(source));
        Assert.Equal([first.Id, second.Id], view.ListSnapshots(source).Select(each => each.Id));
        Assert.Empty(view.ListSnapshots(clone));
        Check(source, (0, 0, true), (1, 1001, true), (300, 300, true), (600, 2600, false));
        Check(clone, (0, 0, true), (1, 1, true), (300, 300, true), (301, 3301, false));

        void Check(VolumeInfo info, params (long Block, int Seed, bool IsShared)[] expected)
        {
            var found = view.ReadRuns(info).Where(run => run.HoldsData).SelectMany(run => Enumerable.Range(0, (int)run.BlockCount)
                .Select(i => (Block: run.FirstBlock + i, Place: run.PlaceBytes + (i * 4096L), run.IsShared)));
            Assert.Equal(
                expected.Select(each => (each.Block, CrashedPool.Find(disk, CrashedPool.Content(each.Seed)), each.IsShared)), found);
        }
    }
}
