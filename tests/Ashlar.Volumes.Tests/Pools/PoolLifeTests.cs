using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>Formatting, opening, and what does not belong together.</summary>
public sealed class PoolLifeTests
{
    [Fact]
    public async Task Capacity_does_not_count_the_superblocks()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 10);
        Assert.Equal(new PoolUsage(10 * MapLayout.ChunkBytes, 0, 0), pool.Pool.GetUsage());
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new byte[10 * MapLayout.ChunkBytes]);
        Assert.Equal(new PoolUsage(10 * MapLayout.ChunkBytes, 10 * MapLayout.ChunkBytes, 8 << 20), pool.Pool.GetUsage());
        Assert.Equal((8 << 20) / (10.0 * MapLayout.ChunkBytes), pool.Pool.GetUsage().OvercommitRatio);
    }

    [Fact]
    public async Task A_pool_in_use_is_not_formatted_again()
    {
        await using var pool = await TestPool.CreateAsync();
        await Assert.ThrowsAsync<UnsupportedFormatException>(async () =>
            await StoragePool.FormatAsync("main", pool.Pool.Device, pool.Pool.Store, pool.Options));
    }

    [Fact]
    public async Task Formatting_that_was_interrupted_is_repeated()
    {
        var disk = new SimulatedFileSystem();
        using var store = TestPool.OpenStore(disk);
        var device = new HookedDevice(FileDevice.Create(disk, "/pool.data", 1 << 20)) { BeforeFlush = () => throw new DeviceIOException("below", "as told", false) };
        var options = TestPool.DefaultOptions();
        await Assert.ThrowsAsync<DeviceIOException>(async () => await StoragePool.FormatAsync("main", device, store, options));
        Assert.False(StoragePool.IsFormatted(store));
        await Assert.ThrowsAsync<UnsupportedFormatException>(async () => await StoragePool.OpenAsync(device, store, options));
        device.BeforeFlush = () => Task.CompletedTask;
        await StoragePool.FormatAsync("main", device, store, options);
        Assert.True(StoragePool.IsFormatted(store));
        await using var pool = await StoragePool.OpenAsync(device, store, options);
        Assert.Equal("main", pool.Name);
    }

    [Fact]
    public async Task A_device_with_the_store_of_another_pool_is_refused()
    {
        var one = await TestPool.CreateAsync(options: TestPool.DefaultOptions(1));
        await using var other = await TestPool.CreateAsync(options: TestPool.DefaultOptions(2));
        await one.DisposeAsync();
        await using var device = TestPool.OpenDevice(one.Disk);
        var error = await Assert.ThrowsAsync<UnsupportedFormatException>(async () =>
            await StoragePool.OpenAsync(device, other.Pool.Store, one.Options));
        Assert.Contains("the store of pool", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pool_opens_with_either_superblock_but_not_with_none()
    {
        var test = await TestPool.CreateAsync();
        await test.DisposeAsync();
        Damage(test.Disk, Superblock.CopyOffsetBytes(0));
        await using (var pool = await TestPool.OpenAsync(test.Disk, test.Options)) Assert.Equal("main", pool.Pool.Name);
        Damage(test.Disk, Superblock.CopyOffsetBytes(1));
        await Assert.ThrowsAsync<CorruptDataException>(async () => await TestPool.OpenAsync(test.Disk, test.Options));
    }

    [Fact]
    public async Task A_later_version_is_refused_not_guessed_at()
    {
        var test = await TestPool.CreateAsync();
        await test.DisposeAsync();
        using (var file = test.Disk.Open("/pool.data", FileOpenMode.Existing))
        {
            var bytes = new byte[Superblock.SizeBytes];
            file.Read(bytes, 0);
            bytes[8] = 2;
            BitConverter.TryWriteBytes(bytes.AsSpan(4092), Crc32C.Compute(bytes.AsSpan(0, 4092)));
            for (var copy = 0; copy < Superblock.CopyCount; copy++) file.Write(bytes, Superblock.CopyOffsetBytes(copy));
        }

        var error = await Assert.ThrowsAsync<UnsupportedFormatException>(async () => await TestPool.OpenAsync(test.Disk, test.Options));
        Assert.Contains("version 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_flipped_byte_in_the_map_is_refused()
    {
        var test = await TestPool.CreateAsync();
        var disk = await test.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(1 << 20));
        await test.DisposeAsync();
        var logs = test.Disk.List("/map").Where(name => name.Contains("log", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(logs);
        foreach (var log in logs)
        {
            using var file = test.Disk.Open($"/map/{log}", FileOpenMode.Existing);
            Flip(file, file.LengthBytes / 2);
        }

        await Assert.ThrowsAnyAsync<AshlarException>(async () =>
        {
            await using var pool = await TestPool.OpenAsync(test.Disk, test.Options);
            await pool.Pool.OpenVolume("disk")!.ReadAsync(Lba.Zero, new byte[1 << 20]);
        });
    }

    [Fact]
    public async Task A_closed_pool_refuses_requests()
    {
        var pool = await TestPool.CreateAsync();
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await pool.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await disk.ReadAsync(Lba.Zero, new byte[4096]));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await disk.WriteAsync(Lba.Zero, new byte[4096]));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await disk.FlushAsync());
    }

    [Fact]
    public async Task A_pool_that_is_closed_needs_no_recovery()
    {
        await using var pool = await TestPool.CreateAsync();
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        for (var round = 0; round < 3; round++)
        {
            await disk.WriteAsync(Lba.Zero, new SeededRandom((ulong)round).Bytes(1 << 20));
            await disk.FlushAsync();
        }

        Assert.True(pool.Pool.GetStatistics().MarkedLeaves > 0);
        await pool.ReopenAsync();
        Assert.Equal(0, pool.Pool.GetStatistics().MarkedLeaves);
        Assert.Equal(0, pool.Pool.GetStatistics().RecoveredBlocks);
    }

    static void Damage(IFileSystem disk, long offset)
    {
        using var file = disk.Open("/pool.data", FileOpenMode.Existing);
        Flip(file, offset + 20);
    }

    static void Flip(IFile file, long offset)
    {
        var one = new byte[1];
        file.Read(one, offset);
        one[0] ^= 1;
        file.Write(one, offset);
    }
}
