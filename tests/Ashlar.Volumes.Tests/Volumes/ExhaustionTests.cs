using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>A pool that is full refuses what needs space, properly, and nothing else.</summary>
public sealed class ExhaustionTests
{
    const int BlocksPerChunk = MapLayout.BlocksPerChunk;
    const int FarChunk = 63 * BlocksPerChunk;

    [Fact]
    public async Task A_full_pool_fails_the_write_and_changes_nothing()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 4);
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        for (var chunk = 0; chunk < 4; chunk++) await disk.WriteAsync(new Lba(chunk * BlocksPerChunk), Random(1, chunk));
        Assert.Equal(0, pool.Pool.GetUsage().FreeBytes);

        await Assert.ThrowsAsync<DeviceFullException>(async () => await disk.WriteAsync(new Lba(4 * BlocksPerChunk), Random(1, 9)));
        Assert.Equal(new byte[4096], await Read(disk, 4 * BlocksPerChunk, 1));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
        Assert.Null(pool.Pool.GetStatistics().Failure);
    }

    [Fact]
    public async Task A_full_pool_still_overwrites_reads_flushes_and_discards()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 2);
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, Random(2 * BlocksPerChunk, 1));
        await disk.WriteAsync(new Lba(3), Random(1, 2));
        await disk.FlushAsync();
        Assert.Equal(Random(1, 2), await Read(disk, 3, 1));
        await disk.TrimAsync(Lba.Zero, BlocksPerChunk);
        Assert.Equal(new byte[4096], await Read(disk, 3, 1));
    }

    [Fact]
    public async Task What_was_discarded_can_be_written_at_once()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 2);
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        for (var round = 0; round < 5; round++)
        {
            await disk.WriteAsync(Lba.Zero, Random(2 * BlocksPerChunk, round));
            await disk.TrimAsync(Lba.Zero, 2 * BlocksPerChunk);
            await disk.WriteAsync(new Lba(FarChunk), Random(2 * BlocksPerChunk, round)); // Waits for the commit that frees the space.
            Assert.Equal(Random(2 * BlocksPerChunk, round), await Read(disk, FarChunk, 2 * BlocksPerChunk));
            await disk.TrimAsync(new Lba(FarChunk), 2 * BlocksPerChunk);
        }

        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task A_write_over_several_leaves_has_room_or_changes_nothing()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 20);
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await Assert.ThrowsAsync<DeviceFullException>(async () => await disk.WriteAsync(Lba.Zero, Random(2 * MapLayout.BlocksPerLeaf, 1)));
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Equal(new byte[4096], await Read(disk, 0, 1));
    }

    [Fact]
    public async Task A_thick_volume_never_runs_out()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 20);
        var thick = await pool.CreateVolumeAsync("thick", 16 * MapLayout.ChunkBytes, isThick: true);
        Assert.Equal(16 * MapLayout.ChunkBytes, pool.Pool.FindVolume("thick")!.AllocatedBytes);
        var thin = await pool.CreateVolumeAsync("thin", 8 << 20);
        await thin.WriteAsync(Lba.Zero, Random(4 * BlocksPerChunk, 1));
        await Assert.ThrowsAsync<DeviceFullException>(async () => await thin.WriteAsync(new Lba(1000), Random(1, 1)));
        await thick.TrimAsync(Lba.Zero, thick.Geometry.BlockCount);
        await thick.WriteAsync(Lba.Zero, Random((int)thick.Geometry.BlockCount, 2));
        Assert.Equal(Random((int)thick.Geometry.BlockCount, 2), await Read(thick, 0, (int)thick.Geometry.BlockCount));
    }

    [Fact]
    public async Task A_thick_volume_that_does_not_fit_is_not_created()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 4);
        var thin = await pool.CreateVolumeAsync("thin", 1 << 20);
        await thin.WriteAsync(Lba.Zero, Random(1, 1));
        var refusal = await Assert.ThrowsAsync<DeviceFullException>(
            async () => await pool.CreateVolumeAsync("thick", 1 << 20, isThick: true));
        Assert.Equal("main/thick: no space left: it needs 1 MiB, of pool main 192 KiB of 256 KiB are free", refusal.Message);
        Assert.Equal("thin", Assert.Single(pool.Pool.ListVolumes()).Name);
        Assert.Equal(MapLayout.ChunkBytes, pool.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task Zeroes_that_keep_the_space_make_later_writes_safe()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 2);
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteZeroesAsync(Lba.Zero, 2 * BlocksPerChunk, ZeroOptions.KeepAllocated);
        await Assert.ThrowsAsync<DeviceFullException>(async () => await disk.WriteAsync(new Lba(1000), Random(1, 1)));
        await disk.WriteAsync(new Lba(1), Random(1, 1));
        await disk.TrimAsync(new Lba(1), 1); // Not the whole chunk: what was asked to be kept is kept.
        await disk.WriteAsync(new Lba(BlocksPerChunk - 1), Random(2, 2));
        await pool.ReopenAsync();
        Assert.Equal(Random(2, 2), await Read(pool.Pool.OpenVolume("disk")!, BlocksPerChunk - 1, 2));
        Assert.Equal(2 * MapLayout.ChunkBytes, pool.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task Zeroes_that_keep_more_space_than_there_is_change_nothing()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 40);
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(new Lba(3 * BlocksPerChunk), Random(2 * BlocksPerChunk, 1));
        await Assert.ThrowsAsync<DeviceFullException>(async () =>
            await disk.WriteZeroesAsync(Lba.Zero, disk.Geometry.BlockCount, ZeroOptions.KeepAllocated));
        Assert.Equal(2 * MapLayout.ChunkBytes, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Equal(Random(2 * BlocksPerChunk, 1), await Read(disk, 3 * BlocksPerChunk, 2 * BlocksPerChunk));
        await disk.WriteAsync(new Lba(FarChunk), Random(38 * BlocksPerChunk, 1)); // All that is free can be used.
    }

    [Fact]
    public async Task What_was_there_before_is_not_kept_by_zeroes_that_found_no_room_below()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, Random(MapLayout.BlocksPerLeaf, 1));
        var reservations = 0;
        hooks.BeforeZeroes = _ => ++reservations == 2 ? throw new DeviceFullException("below", "as told") : Task.CompletedTask;
        await Assert.ThrowsAsync<DeviceFullException>(async () =>
            await disk.WriteZeroesAsync(Lba.Zero, disk.Geometry.BlockCount, ZeroOptions.KeepAllocated));
        for (var block = 0; block < MapLayout.BlocksPerLeaf; block++) await disk.TrimAsync(new Lba(block), 1);
        await disk.FlushAsync();
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task Zeroes_that_keep_more_space_than_the_device_below_has_change_nothing()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(chunks: 100, wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(new Lba(3 * BlocksPerChunk), Random(2 * BlocksPerChunk, 1));
        var reservations = 0;
        hooks.BeforeZeroes = _ => ++reservations == 4 ? throw new DeviceFullException("below", "as told") : Task.CompletedTask;
        await Assert.ThrowsAsync<DeviceFullException>(async () => await disk.WriteZeroesAsync(Lba.Zero, 80 * BlocksPerChunk, ZeroOptions.KeepAllocated));
        Assert.Equal(2 * MapLayout.ChunkBytes, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Equal(Random(2 * BlocksPerChunk, 1), await Read(disk, 3 * BlocksPerChunk, 2 * BlocksPerChunk));
        await disk.WriteZeroesAsync(Lba.Zero, 80 * BlocksPerChunk, ZeroOptions.KeepAllocated);
        Assert.Equal(80 * MapLayout.ChunkBytes, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Equal(new byte[4096], await Read(disk, 3 * BlocksPerChunk, 1));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task A_device_below_that_is_full_fails_the_write_and_the_chunk_stays_free()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        hooks.BeforeWrite = _ => throw new DeviceFullException("below", "as told");
        await Assert.ThrowsAsync<DeviceFullException>(async () => await disk.WriteAsync(Lba.Zero, Random(3, 1)));
        hooks.BeforeWrite = _ => Task.CompletedTask;
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
        await disk.WriteAsync(Lba.Zero, Random(3, 2));
        Assert.Equal(Random(3, 2), await Read(disk, 0, 3));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    static byte[] Random(int blocks, int seed) => new SeededRandom((ulong)seed).Bytes(blocks * 4096);

    static async Task<byte[]> Read(IBlockDevice device, long block, int count)
    {
        var data = new byte[count * 4096];
        await device.ReadAsync(new Lba(block), data);
        return data;
    }
}
