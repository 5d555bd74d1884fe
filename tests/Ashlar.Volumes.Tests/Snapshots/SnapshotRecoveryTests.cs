using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>Snapshots when something else happens to their pool: it is killed, grows, or has lost a part of its map.</summary>
public sealed class SnapshotRecoveryTests
{
    const int Mebibyte = 1 << 20, Chunk = MapLayout.ChunkBytes;

    // The store still has the version, and with it the place as one that is shared, when the block has been overwritten there.
    [Fact]
    public async Task What_was_overwritten_when_its_snapshot_had_just_gone_can_be_read_after_a_kill()
    {
        var crashed = await CrashedPool.CreateAsync();
        await crashed.WriteAsync(0, 1);
        var snapshot = await crashed.Pool.Pool.TakeSnapshotAsync("disk", "s");
        await crashed.WriteAsync(1, 2);
        await crashed.CommitAsync();
        var place = CrashedPool.Find(crashed.Disk, CrashedPool.Content(1));
        var device = crashed.Pool.Pool.Catalogue.Require("disk");
        await crashed.Pool.Pool.Catalogue.DeleteSnapshotsAsync(device, [device.FindSnapshot("s")!]);
        Assert.Equal(DropOutcome.Dropped, await device.DropVersionAsync(0, snapshot.Generation));
        await crashed.WriteAsync(0, 3);
        Assert.Equal(place, CrashedPool.Find(crashed.Disk, CrashedPool.Content(3)));
        crashed.Kill();

        await using var pool = await TestPool.OpenAsync(crashed.Disk, TestPool.DefaultOptions(2));
        var volume = pool.Pool.OpenVolume("disk")!;
        Assert.Equal(CrashedPool.Content(3), await CrashedPool.ReadAsync(volume, 0));
        Assert.Equal(CrashedPool.Content(2), await CrashedPool.ReadAsync(volume, 1));
        await pool.SettleAsync();
        await pool.Pool.CommitAsync();
        Assert.Empty(pool.Pool.ListSnapshots("disk"));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task A_volume_goes_back_to_a_snapshot_that_lies_where_its_pool_has_grown()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 20);
        var volume = await pool.CreateVolumeAsync("disk", 64 * Chunk);
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(1, 16 * 16));
        await pool.Pool.GrowAsync(200 * Chunk);
        await volume.WriteAsync(new Lba(16 * 16), CrashedPool.Content(2, 40 * 16));
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(3, 56 * 16));
        await pool.Pool.CommitAsync();
        Assert.Equal(56L * Chunk, pool.Pool.MeasureSnapshots("disk", ["s"]));
        Assert.Equal(56L * Chunk, pool.Pool.CompareSnapshots("disk", null, "s").Sum(extent => extent.LengthBytes));
        await pool.Pool.RestoreSnapshotAsync("disk", "s");
        var found = new byte[56 * Chunk];
        await volume.ReadAsync(Lba.Zero, found);
        Assert.Equal([.. CrashedPool.Content(1, 16 * 16), .. CrashedPool.Content(2, 40 * 16)], found);
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task Shrinking_over_a_damaged_piece_of_the_map_does_not_make_a_hole_of_it_for_snapshots()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        await using (var pool = await TestPool.CreateAsync(disk: disk))
        {
            var volume = await pool.CreateVolumeAsync("disk", 2 * Mebibyte);
            await volume.WriteAsync(Lba.Zero, CrashedPool.Content(1, 512));
            await pool.Pool.TakeSnapshotAsync("disk", "s");
        }

        Assert.Equal(1, DamagedMap.DamageLeaf(disk, "disk", fromLeaf: 1));
        await using var damaged = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2));
        await damaged.Pool.ResizeVolumeAsync("disk", Mebibyte, allowShrink: true);
        for (var life = 0; life < 2; life++)
        {
            var view = damaged.Pool.OpenSnapshot("disk", "s")!;
            Assert.Equal(CrashedPool.Content(1, 256)[..4096], await CrashedPool.ReadAsync(view, 0));
            await Assert.ThrowsAsync<CorruptDataException>(() => CrashedPool.ReadAsync(view, 256));
            await damaged.ReopenAsync();
        }

        await damaged.Pool.ResizeVolumeAsync("disk", 2 * Mebibyte);
        Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(damaged.Pool.OpenVolume("disk")!, 256));
    }
}
