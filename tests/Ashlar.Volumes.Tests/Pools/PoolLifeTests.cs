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
        Assert.Equal(new PoolUsage(10 * MapLayout.ChunkBytes, 0, 0), pool.Pool.GetUsage() with { FreeSpaceBelowBytes = null });
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new byte[10 * MapLayout.ChunkBytes]);
        Assert.Equal(
            new PoolUsage(10 * MapLayout.ChunkBytes, 10 * MapLayout.ChunkBytes, 8 << 20),
            pool.Pool.GetUsage() with { FreeSpaceBelowBytes = null });
        Assert.Equal((8 << 20) / (10.0 * MapLayout.ChunkBytes), pool.Pool.GetUsage().OvercommitRatio);
    }

    [Fact]
    public async Task A_pool_in_use_is_not_formatted_again()
    {
        await using var pool = await TestPool.CreateAsync();
        await Assert.ThrowsAsync<UnsupportedFormatException>(async () =>
            await StoragePool.FormatAsync("main", pool.Pool.Parts.Device, pool.Pool.Store, pool.Options));
    }

    [Fact]
    public async Task Formatting_that_was_interrupted_is_repeated()
    {
        var disk = new SimulatedFileSystem();
        using var store = TestPool.OpenStore(disk);
        var device = new HookedDevice(FileDevice.Create(disk, "/pool.data", 1 << 20))
        {
            BeforeFlush = () => throw new DeviceIOException("below", "as told", false),
        };
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
        for (var copy = 0; copy < Superblock.CopyCount; copy++) Damage(test.Disk, Superblock.CopyOffsetBytes(copy));
        await Assert.ThrowsAsync<CorruptDataException>(async () => await TestPool.OpenAsync(test.Disk, test.Options));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_damaged_superblock_is_told_of_and_written_anew_from_the_other(int copy)
    {
        var events = new List<PoolEvent>();
        var test = await TestPool.CreateAsync();
        await test.DisposeAsync();
        Damage(test.Disk, Superblock.CopyOffsetBytes(copy));
        await using (await TestPool.OpenAsync(test.Disk, test.Options with { Observer = events.Add })) Assert.Equal("main", test.Pool.Name);
        Assert.Contains(
            $"copy {copy + 1} of the superblock",
            Assert.Single(events, each => each.Kind == PoolEventKind.DamagedSuperblock).Message,
            StringComparison.Ordinal);

        events.Clear();
        Damage(test.Disk, Superblock.CopyOffsetBytes(1 - copy));
        await using (var pool = await TestPool.OpenAsync(test.Disk, test.Options with { Observer = events.Add }))
            Assert.Equal("main", pool.Pool.Name);
        Assert.Single(events, each => each.Kind == PoolEventKind.DamagedSuperblock);
        events.Clear();
        await using (await TestPool.OpenAsync(test.Disk, test.Options with { Observer = events.Add })) Assert.Equal("main", test.Pool.Name);
        Assert.Empty(events);
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(65_536)]
    [InlineData(4096)]
    public async Task A_device_that_was_cut_off_is_damage(long lengthBytes)
    {
        var test = await TestPool.CreateAsync();
        await test.DisposeAsync();
        using (var file = test.Disk.Open("/pool.data", FileOpenMode.Existing)) file.SetLength(lengthBytes);
        var error = await Assert.ThrowsAsync<CorruptDataException>(async () => await TestPool.OpenAsync(test.Disk, test.Options));
        Assert.Contains("258 chunks", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{lengthBytes} bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_of_which_nothing_is_left_is_damage()
    {
        await using var pool = await TestPool.CreateAsync();
        var error = Assert.Throws<CorruptDataException>(() => StoragePool.CheckDeviceLength(pool.Pool.Store, "/pool.data", 0));
        Assert.Contains("258 chunks of 65536 bytes, its device 0 bytes", error.Message, StringComparison.Ordinal);
        pool.Pool.Store.Delete(MapKeys.DeviceChunks); // As earlier programs left it.
        Assert.Throws<CorruptDataException>(() => StoragePool.CheckDeviceLength(pool.Pool.Store, "/pool.data", 0));
        StoragePool.CheckDeviceLength(pool.Pool.Store, "/pool.data", 1 << 20);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_map_that_is_older_than_its_data_is_damage(bool isClosed)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var clock = new SimulatedClock();
        var test = await TestPool.CreateAsync(disk: disk);
        await (await test.CreateVolumeAsync("disk", 8 << 20)).WriteAsync(Lba.Zero, new byte[4096]);
        await test.DisposeAsync();
        var older = disk.List("/map").ToDictionary(name => name, name => ReadAll(disk, $"/map/{name}"));

        var process = new MortalFileSystem(disk);
        test = await TestPool.OpenAsync(process, test.Options with { TimeProvider = clock });
        var volume = test.Pool.OpenVolume("disk")!;
        for (var block = 1; block < 8; block++)
        {
            await volume.WriteAsync(new Lba(block), new byte[4096]);
            await volume.FlushAsync();
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        var sequence = test.Pool.Store.DurableSequence;
        if (isClosed) await test.DisposeAsync();
        else process.Kill();
        foreach (var name in disk.List("/map")) disk.Delete($"/map/{name}");
        foreach (var (name, content) in older)
        {
            using var file = disk.Open($"/map/{name}", FileOpenMode.CreateNew);
            file.Write(content, 0);
        }

        var error = await Assert.ThrowsAsync<CorruptDataException>(async () => await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2)));
        Assert.Contains("older than its data", error.Message, StringComparison.Ordinal);
        if (isClosed) Assert.Contains($"had come to {sequence + 1}", error.Message, StringComparison.Ordinal);
    }

    static byte[] ReadAll(SimulatedFileSystem disk, string path)
    {
        using var file = disk.Open(path, FileOpenMode.ReadOnly);
        var bytes = new byte[file.LengthBytes];
        file.Read(bytes, 0);
        return bytes;
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
            bytes[8] = 3;
            BitConverter.TryWriteBytes(bytes.AsSpan(4092), Crc32C.Compute(bytes.AsSpan(0, 4092)));
            for (var copy = 0; copy < Superblock.CopyCount; copy++) file.Write(bytes, Superblock.CopyOffsetBytes(copy));
        }

        var error = await Assert.ThrowsAsync<UnsupportedFormatException>(async () => await TestPool.OpenAsync(test.Disk, test.Options));
        Assert.Contains("version 3", error.Message, StringComparison.Ordinal);
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
    public async Task A_closed_pool_leaves_no_timer_behind()
    {
        var clock = new SimulatedClock();
        var pool = await TestPool.CreateAsync(options: TestPool.DefaultOptions() with { TimeProvider = clock });
        Assert.NotNull(clock.UntilNextTimer);
        await pool.DisposeAsync();
        Assert.Null(clock.UntilNextTimer);
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
        Assert.Equal(0, pool.Pool.GetStatistics().Recovery.CheckedBlocks);
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
