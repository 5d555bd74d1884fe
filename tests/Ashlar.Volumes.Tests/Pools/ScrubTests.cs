using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>A scrub comes to every block that volumes have, and to what is damaged as often as there is damage.</summary>
public sealed class ScrubTests
{
    const int BlockBytes = 4096;

    [Fact]
    public async Task It_reads_all_that_volumes_have_and_nothing_else()
    {
        await using var pool = await TestPool.CreateAsync();
        var (first, second) = (await pool.CreateVolumeAsync("a", 4 << 20), await pool.CreateVolumeAsync("b", 2 << 20, isThick: true));
        await first.WriteAsync(new Lba(0), new SeededRandom(1).Bytes(100 * BlockBytes));
        await first.WriteAsync(new Lba(900), new SeededRandom(2).Bytes(3 * BlockBytes));
        await second.WriteAsync(new Lba(7), new SeededRandom(3).Bytes(BlockBytes));
        long paced = 0;
        var scrub = pool.Pool.CreateScrub();
        await scrub.RunAsync((bytes, _) => { paced += bytes; return ValueTask.CompletedTask; }, CancellationToken.None);
        Assert.Equal(104 * BlockBytes, paced);
        Assert.Equal([new("a") { BlocksRead = 103 }, new("b") { BlocksRead = 1 }], scrub.Volumes);
        Assert.Equal(scrub.TotalBytes, scrub.DoneBytes);
        Assert.Equal(0, pool.Pool.GetStatistics().CorruptBlocks);
    }

    [Fact]
    public async Task Each_damaged_block_counts_once_and_becomes_known_to_the_pool()
    {
        await using var pool = await TestPool.CreateAsync();
        var volume = await pool.CreateVolumeAsync("a", 4 << 20);
        await volume.WriteAsync(new Lba(0), new SeededRandom(1).Bytes(200 * BlockBytes));
        await volume.FlushAsync();
        using (var file = pool.Disk.Open("/pool.data", FileOpenMode.Existing))
        {
            using var view = await pool.Pool.OpenMapViewAsync();
            var run = Assert.Single(view.ReadRuns(view.Volumes[0]), each => each.HoldsData);
            foreach (var block in (int[])[3, 4, 150])
            {
                var bytes = new byte[1];
                var place = run.PlaceBytes + (block * BlockBytes) + 77;
                file.Read(bytes, place);
                file.Write([(byte)(bytes[0] ^ 1)], place);
            }
        }
        var scrub = pool.Pool.CreateScrub();
        await scrub.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        Assert.Equal([new("a") { BlocksRead = 200, DamagedBlocks = 3 }], scrub.Volumes);
        Assert.Equal(3, pool.Pool.GetDamage().Blocks);
    }

    [Fact]
    public async Task It_comes_once_to_what_only_snapshots_have()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 512);
        var volume = await pool.CreateVolumeAsync("a", 4 << 20);
        await volume.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(300 * BlockBytes));
        foreach (var (name, first, count) in ((string, int, int)[])[("s1", 10, 20), ("s2", 15, 2), ("s3", 290, 100)])
        {
            await pool.Pool.TakeSnapshotAsync("a", name);
            await volume.WriteAsync(new Lba(first), new SeededRandom(2).Bytes(count * BlockBytes));
        }

        await volume.TrimAsync(new Lba(100), 16);
        var scrub = pool.Pool.CreateScrub();
        await scrub.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        Assert.Equal([new("a") { BlocksRead = 390 - 16 + 20 + 2 + 10 + 16 }], scrub.Volumes);

        Assert.NotEqual(-1, await FlipAsync(pool, "s1", 12));
        Assert.NotEqual(-1, await FlipAsync(pool, "s3", 295));
        scrub = pool.Pool.CreateScrub();
        await scrub.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        Assert.Equal(2, Assert.Single(scrub.Volumes).DamagedBlocks);
    }

    [Fact]
    public async Task What_an_old_snapshot_shares_with_one_that_was_deleted_is_come_to_as_well()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 512);
        var volume = await pool.CreateVolumeAsync("a", 1 << 20);
        await volume.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(8 * BlockBytes));
        await pool.Pool.TakeSnapshotAsync("a", "s1");
        await pool.Pool.TakeSnapshotAsync("a", "s2");
        await pool.Pool.CloneAsync("a", "s2", "clone");
        await pool.Pool.DeleteSnapshotsAsync("a", ["s2"]); // The clone needs it.
        foreach (var name in (string[])["a", "clone"])
            await pool.Pool.OpenVolume(name)!.WriteAsync(Lba.Zero, new SeededRandom(2).Bytes(8 * BlockBytes));
        await pool.Pool.CommitAsync();
        await FlipAsync(pool, "s1", 3);
        var scrub = pool.Pool.CreateScrub();
        await scrub.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        Assert.Equal(1, scrub.Volumes.Sum(each => each.DamagedBlocks));
    }

    // A bit of a block that a snapshot has.
    static async Task<long> FlipAsync(TestPool pool, string snapshot, long block)
    {
        var view = (VolumeDevice)pool.Pool.OpenSnapshot("a", snapshot)!;
        var leaf = await pool.Pool.Parts.Cache.AcquireAsync(view, block / MapLayout.BlocksPerLeaf);
        var place = leaf.Map!.PlaceOf((int)(block % MapLayout.BlocksPerLeaf)).Place * BlockBytes;
        leaf.Unpin();
        using var file = pool.Disk.Open("/pool.data", FileOpenMode.Existing);
        var bytes = new byte[1];
        file.Read(bytes, place);
        file.Write([(byte)(bytes[0] ^ 1)], place);
        return place;
    }

    [Fact]
    public async Task What_goes_meanwhile_is_left_out_and_an_end_comes_soon()
    {
        await using var pool = await TestPool.CreateAsync();
        foreach (var name in (string[])["a", "b", "c"])
            await (await pool.CreateVolumeAsync(name, 1 << 20)).WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(256 * BlockBytes));
        using var stop = new CancellationTokenSource();
        var scrub = pool.Pool.CreateScrub();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await scrub.RunAsync(
            async (_, token) =>
            {
                if (scrub.DoneBytes == 64 * BlockBytes) await pool.DeleteVolumeAsync("b");
                if (scrub.Volumes.Count == 2) await stop.CancelAsync();
                token.ThrowIfCancellationRequested();
            },
            stop.Token));
        Assert.Equal(["a", "c"], scrub.Volumes.Select(volume => volume.Name));
        Assert.Equal(256, scrub.Volumes[0].BlocksRead);
    }
}
