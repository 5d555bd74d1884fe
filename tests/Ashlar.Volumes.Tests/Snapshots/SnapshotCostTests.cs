using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>What snapshots cost those who take them and those who read, in bytes of the disk.</summary>
public sealed class SnapshotCostTests
{
    const int Mebibyte = 1 << 20, BlockBytes = 4096;

    [Fact]
    public async Task A_snapshot_costs_the_same_whatever_its_volume_holds()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 2000);
        foreach (var mebibytes in (int[])[1, 64])
        {
            var volume = await pool.CreateVolumeAsync($"disk{mebibytes}", 128L * Mebibyte);
            for (var at = 0; at < mebibytes; at++) await volume.WriteAsync(new Lba(at * 256), new SeededRandom(1).Bytes(Mebibyte));
        }

        await pool.Pool.CommitAsync();
        await pool.Pool.WaitForBackgroundAsync();
        List<long> costs = [];
        foreach (var name in (string[])["disk1", "disk64", "disk1", "disk64"])
        {
            var before = Disk(pool).TransferredBytes;
            await pool.Pool.TakeSnapshotAsync(name, $"s{costs.Count}");
            costs.Add(Disk(pool).TransferredBytes - before);
        }

        Assert.InRange(costs.Max() - costs.Min(), 0, 2 * BlockBytes);
        Assert.InRange(costs.Max(), 1, 16 * BlockBytes);
    }

    [Fact]
    public async Task A_block_is_read_in_one_piece_below_a_hundred_snapshots_and_ten_clones_of_clones()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 2000);
        var volume = await pool.CreateVolumeAsync("disk", 4 * Mebibyte);
        var random = new SeededRandom(2);
        await volume.WriteAsync(Lba.Zero, random.Bytes(4 * Mebibyte));
        for (var i = 0; i < 100; i++)
        {
            await pool.Pool.TakeSnapshotAsync("disk", $"s{i}");
            for (var j = 0; j < 8; j++) await volume.WriteAsync(new Lba(random.Next(1024)), random.Bytes(BlockBytes));
        }

        var origin = "disk";
        for (var i = 0; i < 10; i++)
        {
            if (i > 0) await pool.Pool.TakeSnapshotAsync(origin, "s50");
            await pool.Pool.CloneAsync(origin, "s50", $"clone{i}");
            origin = $"clone{i}";
            await pool.Pool.OpenVolume(origin)!.WriteAsync(new Lba(random.Next(1024)), random.Bytes(BlockBytes));
        }

        await pool.Pool.CommitAsync();
        await pool.Pool.WaitForBackgroundAsync();
        foreach (var device in (IBlockDevice[])
            [volume, pool.Pool.OpenSnapshot("disk", "s0")!, pool.Pool.OpenSnapshot("disk", "s99")!, pool.Pool.OpenVolume(origin)!])
        {
            for (var leaf = 0; leaf < 4; leaf++) await device.ReadAsync(new Lba(leaf * 256), new byte[BlockBytes]);
            var before = Disk(pool).TransferredBytes;
            for (var block = 0; block < 1024; block += 3) await device.ReadAsync(new Lba(block), new byte[BlockBytes]);
            Assert.Equal(342 * BlockBytes, Disk(pool).TransferredBytes - before);
        }
    }

    static SimulatedFileSystem Disk(TestPool pool) => (SimulatedFileSystem)pool.Disk;
}
