using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>What users of snapshots rely on, one by one.</summary>
public sealed class SnapshotTests
{
    const int Mebibyte = 1 << 20;

    [Fact]
    public async Task Single_blocks_that_are_overwritten_after_a_snapshot_take_the_space_of_what_is_written()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 2000);
        var volume = await pool.CreateVolumeAsync("disk", 32 * Mebibyte);
        await FillAsync(volume);
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        var before = pool.Pool.GetUsage().AllocatedBytes;
        var random = new SeededRandom(1);
        var blocks = Enumerable.Range(0, 8192).OrderBy(_ => random.Next(int.MaxValue)).Take(2048).ToArray();
        foreach (var block in blocks) await volume.WriteAsync(new Lba(block), random.Bytes(4096));
        await pool.Pool.CommitAsync();
        Assert.InRange(pool.Pool.GetUsage().AllocatedBytes - before, blocks.Length * 4096L, blocks.Length * 4096L * 6 / 5);

        await (await pool.Pool.DeleteSnapshotsAsync("disk", ["s"]));
        foreach (var block in blocks) await volume.WriteAsync(new Lba(block), random.Bytes(4096)); // They go home.
        await pool.Pool.CommitAsync();
        await pool.Pool.WaitForBackgroundAsync();
        Assert.Equal(before, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task What_deleting_would_free_is_what_it_frees_whatever_is_selected()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 2000);
        var volume = await pool.CreateVolumeAsync("disk", 4 * Mebibyte);
        var random = new SeededRandom(2);
        await FillAsync(volume);
        for (var i = 0; i < 6; i++)
        {
            await pool.Pool.TakeSnapshotAsync("disk", $"s{i}");
            for (var j = 0; j < 40; j++) await volume.WriteAsync(new Lba(random.Next(900)), random.Bytes(4096 * (1 + random.Next(20))));
            await volume.TrimAsync(new Lba(16 * random.Next(60)), 16);
            await pool.Pool.CommitAsync();
        }

        foreach (var selected in (string[][])[["s2"], ["s1", "s3"], ["s0", "s4", "s5"]])
        {
            var expected = pool.Pool.MeasureSnapshots("disk", selected);
            var before = LiveBytes(pool.Pool.Store);
            await (await pool.Pool.DeleteSnapshotsAsync("disk", selected));
            await pool.Pool.CommitAsync();
            Assert.Equal(expected, before - LiveBytes(pool.Pool.Store));
        }
    }

    [Fact]
    public async Task A_full_pool_refuses_what_a_snapshot_would_need_and_goes_on_when_it_is_deleted()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 70);
        var volume = await pool.CreateVolumeAsync("disk", 4 * Mebibyte);
        var content = await FillAsync(volume);
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        var random = new SeededRandom(3);
        var refused = 0;
        for (var block = 0; block < 1024; block++)
        {
            var data = random.Bytes(4096);
            try
            {
                await volume.WriteAsync(new Lba(block), data);
                data.CopyTo(content, block * 4096);
            }
            catch (DeviceFullException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 900, 1023);
        Assert.Equal(content, await ReadAsync(volume));
        await volume.FlushAsync();
        await (await pool.Pool.DeleteSnapshotsAsync("disk", ["s"]));
        for (var block = 0; block < 1024; block++)
        {
            var data = random.Bytes(4096);
            await volume.WriteAsync(new Lba(block), data);
            data.CopyTo(content, block * 4096);
        }

        Assert.Equal(content, await ReadAsync(volume));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task A_snapshot_of_a_piece_of_the_map_that_cannot_be_read_says_so_also_when_the_volume_was_written_anew()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        await using (var pool = await TestPool.CreateAsync(disk: disk))
        {
            var volume = await pool.CreateVolumeAsync("disk", 2 * Mebibyte);
            await FillAsync(volume);
            await pool.Pool.TakeSnapshotAsync("disk", "s");
        }

        DamagedMap.DamageLeaf(disk, "disk");
        await using var damaged = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2));
        var view = damaged.Pool.OpenSnapshot("disk", "s")!;
        await Assert.ThrowsAsync<CorruptDataException>(() => ReadAsync(view));
        var head = damaged.Pool.OpenVolume("disk")!;
        var content = await FillAsync(head);
        await damaged.ReopenAsync();
        Assert.Equal(content, await ReadAsync(damaged.Pool.OpenVolume("disk")!));
        await Assert.ThrowsAsync<CorruptDataException>(() => ReadAsync(damaged.Pool.OpenSnapshot("disk", "s")!));
    }

    [Fact]
    public async Task A_view_of_a_snapshot_is_read_only_and_ends_with_it()
    {
        await using var pool = await TestPool.CreateAsync();
        var volume = await pool.CreateVolumeAsync("disk", Mebibyte);
        await FillAsync(volume);
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        var view = pool.Pool.OpenSnapshot("disk", "s")!;
        Assert.Same(view, pool.Pool.OpenSnapshot("disk", "s"));
        Assert.True(view.IsReadOnly);
        Assert.Equal("main/disk@s", view.Name);
        await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await view.WriteAsync(Lba.Zero, new byte[4096]));
        await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await view.TrimAsync(Lba.Zero, 1));
        await view.FlushAsync();
        await pool.Pool.DeleteSnapshotsAsync("disk", ["s"]);
        await Assert.ThrowsAsync<VolumeDeletedException>(() => ReadAsync(view));
        Assert.Null(pool.Pool.OpenSnapshot("disk", "s"));
    }

    [Fact]
    public async Task What_cannot_be_done_is_told_by_its_problem_and_changes_nothing()
    {
        await using var pool = await TestPool.CreateAsync();
        await pool.CreateVolumeAsync("disk", Mebibyte);
        await pool.CreateVolumeAsync("thick", Mebibyte, isThick: true);
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        await Expect(SnapshotProblem.NameTaken, () => pool.Pool.TakeSnapshotAsync("disk", "s").AsTask());
        await Expect(SnapshotProblem.InvalidName, () => pool.Pool.TakeSnapshotAsync("disk", "S t").AsTask());
        await Expect(SnapshotProblem.NotSupported, () => pool.Pool.TakeSnapshotsAsync([("disk", "t"), ("thick", "t")]).AsTask());
        await Expect(SnapshotProblem.NameTaken, () => pool.Pool.TakeSnapshotsAsync([("disk", "t"), ("disk", "u")]).AsTask());
        await Expect(SnapshotProblem.Unknown, () => pool.Pool.DeleteSnapshotsAsync("disk", ["s", "t"]).AsTask());
        await Expect(SnapshotProblem.Unknown, () => pool.Pool.CloneAsync("disk", "t", "clone").AsTask());
        await Expect(SnapshotProblem.Unknown, () => pool.Pool.RestoreSnapshotAsync("disk", "t").AsTask());
        await Expect(SnapshotProblem.InUse, () => pool.Pool.DeleteVolumeAsync("disk").AsTask());
        await Expect(SnapshotProblem.InUse, () => pool.Pool.TrashVolumeAsync("disk").AsTask());
        await Assert.ThrowsAsync<VolumeNameException>(() => pool.Pool.TakeSnapshotAsync("none", "s").AsTask());
        await Assert.ThrowsAsync<VolumeNameException>(() => pool.Pool.CloneAsync("disk", "s", "thick").AsTask());
        Assert.Equal(["s"], pool.Pool.ListSnapshots("disk").Select(each => each.Name));
        await pool.Pool.CloneAsync("disk", "s", "clone");
        Assert.Equal("disk@s", pool.Pool.FindVolume("clone")!.Origin);
        Assert.Equal(["clone"], pool.Pool.FindSnapshot("disk", "s")!.Clones);
        var trashed = await pool.Pool.TrashVolumeAsync("clone");
        await Expect(SnapshotProblem.InUse, () => pool.Pool.DeleteVolumeAsync("disk", withSnapshots: true).AsTask());
        await pool.Pool.RestoreVolumeAsync(trashed!.Volume.Id);
        await Expect(SnapshotProblem.InUse, () => pool.Pool.DeleteVolumeAsync("disk", withSnapshots: true).AsTask());

        static async Task Expect(SnapshotProblem problem, Func<Task> action) =>
            Assert.Equal(problem, (await Assert.ThrowsAsync<SnapshotException>(action)).Problem);
    }

    [Fact]
    public async Task A_snapshot_that_clones_need_is_kept_for_them_and_goes_with_the_last_one()
    {
        await using var pool = await TestPool.CreateAsync();
        var volume = await pool.CreateVolumeAsync("disk", Mebibyte);
        var content = await FillAsync(volume);
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        await pool.Pool.CloneAsync("disk", "s", "one");
        await pool.Pool.CloneAsync("disk", "s", "other");
        await (await pool.Pool.DeleteSnapshotsAsync("disk", ["s"]));
        await FillAsync(volume, seed: 7);
        Assert.True(Assert.Single(pool.Pool.ListSnapshots("disk")).IsDeleted);
        await pool.ReopenAsync();
        Assert.Equal(content, await ReadAsync(pool.Pool.OpenVolume("one")!));
        await pool.Pool.FlattenAsync("one");
        await pool.DeleteVolumeAsync("other");
        await pool.SettleAsync();
        Assert.Empty(pool.Pool.ListSnapshots("disk"));
        Assert.Equal(content, await ReadAsync(pool.Pool.OpenVolume("one")!));
        Assert.Equal(2 * Mebibyte, pool.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task A_view_of_the_map_shows_what_a_clone_has_of_its_snapshot_and_where_each_block_lies()
    {
        await using var pool = await TestPool.CreateAsync();
        var volume = await pool.CreateVolumeAsync("disk", 3 * Mebibyte);
        var content = await FillAsync(volume);
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        await pool.Pool.CloneAsync("disk", "s", "clone");
        var clone = pool.Pool.OpenVolume("clone")!;
        await clone.WriteAsync(new Lba(300), new byte[4096]);
        await clone.TrimAsync(Lba.Zero, 256);
        await FillAsync(volume, seed: 8);
        await pool.Pool.CommitAsync();
        using var view = await pool.Pool.OpenMapViewAsync();
        var info = view.Volumes.Single(each => each.Name == "clone");
        var snapshot = Assert.Single(view.ListSnapshots(view.Volumes.Single(each => each.Name == "disk")));
        Assert.Equal(("s", snapshot.Id), (snapshot.Name, view.FindOrigin(info)));
        content.AsSpan(0, Mebibyte).Clear();
        content.AsSpan(300 * 4096, 4096).Clear();
        var found = new byte[content.Length];
        long blocks = 0;
        foreach (var run in view.ReadRuns(info).Where(run => run.HoldsData))
        {
            blocks += run.BlockCount;
            var target = found.AsMemory((int)run.FirstBlock * 4096, (int)run.BlockCount * 4096);
            await pool.Pool.Parts.Device.ReadAsync(new Lba(run.PlaceBytes / 4096), target);
        }

        Assert.Equal(512, blocks);
        Assert.Equal(content, found);
    }

    [Fact]
    public async Task A_volume_in_the_trash_keeps_its_snapshots_and_comes_back_with_them()
    {
        await using var pool = await TestPool.CreateAsync();
        var volume = await pool.CreateVolumeAsync("disk", Mebibyte);
        var content = await FillAsync(volume);
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        await FillAsync(volume, seed: 9);
        var trashed = await pool.Pool.TrashVolumeAsync("disk", withSnapshots: true);
        await pool.ReopenAsync();
        await pool.Pool.RestoreVolumeAsync(trashed!.Volume.Id, "back");
        Assert.Equal(content, await ReadAsync(pool.Pool.OpenSnapshot("back", "s")!));
        trashed = await pool.Pool.TrashVolumeAsync("back", withSnapshots: true);
        await (await pool.Pool.PurgeVolumeAsync(trashed!.Volume.Id))!.Completion;
        await pool.Pool.CommitAsync();
        await pool.Pool.WaitForBackgroundAsync();
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
    }

    // Blocks and chunks that the store calls taken.
    static long LiveBytes(KeyValueStore store)
    {
        long bytes = 0;
        using (var bitmaps = store.Scan(KeyRange.Prefix(MapKeys.Bitmaps)))
        {
            var words = new ulong[GroupBitmap.Words];
            while (bitmaps.MoveNext())
            {
                words.AsSpan().Clear();
                GroupBitmap.Read(bitmaps.Value, words, "pool", 0);
                bytes += words.Sum(word => (long)System.Numerics.BitOperations.PopCount(word)) * MapLayout.ChunkBytes;
            }
        }

        using var pages = store.Scan(KeyRange.Prefix(MapKeys.Fragments));
        while (pages.MoveNext())
        {
            var page = FragmentPage.Read(pages.Value, "pool", 0);
            for (var index = 0; index < FragmentPage.Chunks; index++)
            {
                if (page.BlocksOf(index) == 0) continue;
                bytes += ((long)System.Numerics.BitOperations.PopCount(page.BlocksOf(index)) * MapLayout.BlockBytes) - MapLayout.ChunkBytes;
            }
        }

        return bytes;
    }

    static async Task<byte[]> FillAsync(IBlockDevice device, ulong seed = 5)
    {
        var content = new SeededRandom(seed).Bytes((int)device.Geometry.SizeBytes);
        await device.WriteAsync(Lba.Zero, content);
        return content;
    }

    static async Task<byte[]> ReadAsync(IBlockDevice device)
    {
        var content = new byte[device.Geometry.SizeBytes];
        await device.ReadAsync(Lba.Zero, content);
        return content;
    }
}
