using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>Damaged data is an error that names itself; it is never returned and never repaired by guessing.</summary>
public sealed class CorruptionTests
{
    [Fact]
    public async Task A_flipped_byte_fails_its_block_and_no_other()
    {
        await using var pool = await DamagedAsync();
        var disk = pool.Pool.OpenVolume("disk")!;
        var error = await Assert.ThrowsAsync<CorruptDataException>(async () => await Read(disk, 40, 3));
        Assert.Contains("main/disk, block 40", error.Message, StringComparison.Ordinal);
        Assert.Equal(DamagedOffset, error.OffsetBytes);
        Assert.Equal("/pool.data", error.FilePath);
        Assert.Equal(Random(8, 6)[..1024], await Read(disk, 48, 2));
        await Assert.ThrowsAsync<CorruptDataException>(async () => await Read(disk, 47, 1)); // The same 4 KiB.
        Assert.Contains("checksum", Assert.Single((await pool.Pool.VerifyAsync(readData: true)).Problems), StringComparison.Ordinal);
        Assert.True(pool.Pool.GetStatistics().CorruptBlocks >= 2);
    }

    [Fact]
    public async Task Writing_a_part_of_a_damaged_block_fails_and_writing_all_of_it_heals()
    {
        await using var pool = await DamagedAsync();
        var disk = pool.Pool.OpenVolume("disk")!;
        await Assert.ThrowsAsync<CorruptDataException>(async () => await disk.WriteAsync(new Lba(41), Random(1, 3)));
        await disk.WriteAsync(new Lba(40), Random(8, 4));
        Assert.Equal(Random(8, 4), await Read(disk, 40, 8));
    }

    [Theory]
    [InlineData("write", true)]
    [InlineData("trim", true)]
    [InlineData("zero", true)]
    [InlineData("zero, keep", true)]
    [InlineData("shrink", true)]
    [InlineData("delete", true)]
    [InlineData("write beside it", false)]
    [InlineData("write a part of it", false)]
    [InlineData("shrink, but not so far", false)]
    public async Task Damage_is_listed_until_it_is_healed(string what, bool heals)
    {
        await using var pool = await DamagedAsync();
        var disk = pool.Pool.OpenVolume("disk")!;
        for (var attempt = 0; attempt < 2; attempt++) await Assert.ThrowsAsync<CorruptDataException>(async () => await Read(disk, 40, 8));
        Assert.Contains("main/disk, block 40", Assert.Single(pool.Pool.GetDamage().First), StringComparison.Ordinal);
        switch (what)
        {
            case "write": await disk.WriteAsync(new Lba(40), Random(8, 4)); break;
            case "trim": await disk.TrimAsync(new Lba(33), 15); break;
            case "zero": await disk.WriteZeroesAsync(new Lba(40), 8); break;
            case "zero, keep": await disk.WriteZeroesAsync(new Lba(40), 8, ZeroOptions.KeepAllocated); break;
            case "shrink": await pool.Pool.ResizeVolumeAsync("disk", 40 * 512, allowShrink: true); break;
            case "delete": await pool.DeleteVolumeAsync("disk"); break;
            case "write beside it": await disk.WriteAsync(new Lba(48), Random(8, 4)); break;
            case "write a part of it":
                await Assert.ThrowsAsync<CorruptDataException>(async () => await disk.WriteAsync(new Lba(41), Random(7, 4)));
                break;
            default: await pool.Pool.ResizeVolumeAsync("disk", 48 * 512, allowShrink: true); break;
        }

        Assert.Equal((heals ? 0 : 1, 0L), (pool.Pool.GetDamage().Blocks, pool.Pool.GetDamage().MapPieces));
        Assert.Equal(heals ? 0 : 1, pool.Pool.GetDamage().First.Count);
    }

    // Each request touches a part of the damaged block, sectors 40 to 47; some reach it with a ragged end.
    [Theory]
    [InlineData("write", 40, 1)]
    [InlineData("write", 46, 2)]
    [InlineData("write", 39, 2)]
    [InlineData("write", 47, 9)]
    [InlineData("write", 32, 9)]
    [InlineData("write through", 41, 1)]
    [InlineData("zero", 40, 1)]
    [InlineData("zero", 36, 7)]
    [InlineData("zero", 47, 9)]
    [InlineData("zero, keep", 40, 1)]
    [InlineData("zero, keep", 44, 8)]
    [InlineData("trim", 40, 1)]
    [InlineData("trim", 47, 9)]
    public async Task No_request_for_a_part_of_a_damaged_block_turns_the_damage_into_good_data(string what, long sector, int count)
    {
        await using var pool = await DamagedAsync();
        var disk = pool.Pool.OpenVolume("disk")!;
        await Assert.ThrowsAsync<CorruptDataException>(async () => await (what switch
        {
            "write" => disk.WriteAsync(new Lba(sector), Random(count, 3)),
            "write through" => disk.WriteAsync(new Lba(sector), Random(count, 3), WriteOptions.ForceUnitAccess),
            "zero" => disk.WriteZeroesAsync(new Lba(sector), count),
            "zero, keep" => disk.WriteZeroesAsync(new Lba(sector), count, ZeroOptions.KeepAllocated),
            _ => disk.TrimAsync(new Lba(sector), count),
        }));
        for (var life = 0; life < 2; life++)
        {
            await Assert.ThrowsAsync<CorruptDataException>(async () => await Read(disk, 40, 8));
            await Assert.ThrowsAsync<CorruptDataException>(async () => await Read(disk, 44, 1));
            await pool.ReopenAsync();
            disk = pool.Pool.OpenVolume("disk")!;
        }

        await disk.WriteAsync(new Lba(40), Random(8, 4));
        Assert.Equal(Random(8, 4), await Read(disk, 40, 8));
    }

    [Fact]
    public async Task A_shrink_through_a_damaged_block_is_carried_out_and_brings_nothing_back_as_data()
    {
        await using var pool = await DamagedAsync();
        await pool.Pool.ResizeVolumeAsync("disk", 42 * 512, allowShrink: true);
        Assert.Equal(MapLayout.ChunkBytes, pool.Pool.GetUsage().AllocatedBytes);
        await pool.ReopenAsync();
        await pool.Pool.ResizeVolumeAsync("disk", 8 << 20);
        var disk = pool.Pool.OpenVolume("disk")!;
        for (var sector = 40; sector < 48; sector++)
            await Assert.ThrowsAsync<CorruptDataException>(async () => await Read(disk, sector, 1));
        Assert.Equal(new byte[1024], await Read(disk, 48, 2));
        await disk.WriteAsync(new Lba(40), Random(8, 4));
        Assert.Equal(Random(8, 4), await Read(disk, 40, 8));
    }

    [Theory]
    [InlineData("write")]
    [InlineData("zero")]
    [InlineData("trim")]
    public async Task Writing_up_to_the_end_of_the_volume_is_writing_all_of_its_last_block(string what)
    {
        await using var pool = await DamagedAsync();
        var disk = pool.Pool.OpenVolume("disk")!;
        await pool.Pool.ResizeVolumeAsync("disk", 43 * 512, allowShrink: true);
        await Assert.ThrowsAsync<CorruptDataException>(async () => await disk.WriteAsync(new Lba(41), Random(2, 4)));
        await (what switch
        {
            "write" => disk.WriteAsync(new Lba(38), Random(5, 4)),
            "zero" => disk.WriteZeroesAsync(new Lba(40), 3),
            _ => disk.TrimAsync(Lba.Zero, 43),
        });
        var expected = what == "write" ? Random(5, 4)[1024..] : new byte[3 * 512];
        Assert.Equal(expected, await Read(disk, 40, 3));
        await pool.Pool.ResizeVolumeAsync("disk", 48 * 512);
        await pool.ReopenAsync();
        var found = await Read(pool.Pool.OpenVolume("disk")!, 40, 8);
        Assert.Equal([.. expected, .. new byte[5 * 512]], found);
        Assert.Equal(0, pool.Pool.GetDamage().Blocks);
    }

    [Fact]
    public async Task A_failed_overwrite_of_a_damaged_block_does_not_make_it_good()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20, 512);
        await disk.WriteAsync(new Lba(40), Random(8, 5));
        await disk.FlushAsync();
        Damage(pool);
        hooks.BeforeWrite = _ => throw new DeviceIOException("below", "as told", isTransient: false);
        await Assert.ThrowsAsync<DeviceIOException>(async () => await disk.WriteAsync(new Lba(40), Random(8, 6)));
        hooks.BeforeWrite = _ => Task.CompletedTask;
        await Assert.ThrowsAsync<CorruptDataException>(async () => await Read(disk, 40, 8));
    }

    [Fact]
    public async Task Without_checksums_the_damage_would_be_returned()
    {
        await using var pool = await DamagedAsync(PlantedBug.IgnoreChecksum);
        Assert.NotEqual(Random(8, 5), await Read(pool.Pool.OpenVolume("disk")!, 40, 8));
    }

    [Fact]
    public async Task Damage_is_not_repaired_by_opening_the_pool()
    {
        await using var pool = await DamagedAsync();
        await pool.ReopenAsync();
        await Assert.ThrowsAsync<CorruptDataException>(async () => await Read(pool.Pool.OpenVolume("disk")!, 40, 1));
    }

    [Fact]
    public async Task A_block_that_is_not_there_is_not_read_from_the_device()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(new Lba(5), Random(8, 1));
        hooks.BeforeRead = _ => throw new DeviceIOException("below", "not to be read", isTransient: false);
        Assert.Equal(new byte[4096], await Read(disk, 6, 8));
        Assert.Equal(new byte[4096], await Read(disk, 1000, 8));
    }

    [Fact]
    public async Task A_read_that_meets_an_overwrite_waits_for_it_instead_of_calling_it_damage()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20, 4096);
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        var isReading = new TaskCompletionSource();
        var mayRead = new TaskCompletionSource();
        hooks.BeforeRead = async _ =>
        {
            hooks.BeforeRead = _ => Task.CompletedTask;
            isReading.SetResult();
            await mayRead.Task;
        };
        var reading = Task.Run(() => Read4K(disk, 0));
        await isReading.Task;
        var data = new SeededRandom(1).Bytes(4096);
        await disk.WriteAsync(Lba.Zero, data);
        mayRead.SetResult();
        Assert.Equal(data, await reading);
        Assert.Equal(0, pool.Pool.GetStatistics().CorruptBlocks);
    }

    [Fact]
    public async Task A_read_whose_place_is_given_away_meanwhile_reads_again()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(chunks: 1, wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20, 4096);
        var other = await pool.CreateVolumeAsync("other", 8 << 20, 4096);
        await disk.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(4096));
        var isReading = new TaskCompletionSource();
        var mayRead = new TaskCompletionSource();
        hooks.BeforeRead = async _ =>
        {
            hooks.BeforeRead = _ => Task.CompletedTask;
            isReading.SetResult();
            await mayRead.Task;
        };
        var reading = Task.Run(() => Read4K(disk, 0));
        await isReading.Task;
        await disk.TrimAsync(Lba.Zero, 16);
        await other.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(4096)); // The same place, and even the same content.
        mayRead.SetResult();
        Assert.Equal(new byte[4096], await reading);
    }

    [Fact]
    public async Task A_failed_overwrite_leaves_the_old_or_the_new_content_not_an_error()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20, 4096);
        var old = new SeededRandom(1).Bytes(4096);
        await disk.WriteAsync(Lba.Zero, old);
        hooks.BeforeWrite = _ => throw new DeviceIOException("below", "as told", isTransient: false);
        await Assert.ThrowsAsync<DeviceIOException>(async () => await disk.WriteAsync(Lba.Zero, new byte[8192]));
        hooks.BeforeWrite = _ => Task.CompletedTask;
        Assert.Equal(old, await Read4K(disk, 0));
        Assert.Equal(new byte[4096], await Read4K(disk, 1));
        await pool.ReopenAsync();
        Assert.Equal(old, await Read4K(pool.Pool.OpenVolume("disk")!, 0));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    // The device says that a write failed, and all of it is there.
    [Fact]
    public async Task A_failed_overwrite_that_has_written_everything_is_the_new_content_not_an_error()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20, 4096);
        await disk.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(8192));
        await disk.FlushAsync();
        hooks.AfterWrite = _ => throw new DeviceIOException("below", "as told", isTransient: false);
        await Assert.ThrowsAsync<DeviceIOException>(async () => await disk.WriteAsync(Lba.Zero, new SeededRandom(2).Bytes(8192)));
        hooks.AfterWrite = _ => Task.CompletedTask;
        for (var life = 0; life < 2; life++)
        {
            Assert.Equal(new SeededRandom(2).Bytes(8192)[..4096], await Read4K(disk, 0));
            Assert.Equal(new SeededRandom(2).Bytes(8192)[4096..], await Read4K(disk, 1));
            await pool.ReopenAsync();
            disk = pool.Pool.OpenVolume("disk")!;
        }

        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task Damage_that_was_met_is_known_to_the_next_opening_without_a_request()
    {
        await using var pool = await DamagedAsync();
        await pool.CreateVolumeAsync("other", 1 << 20);
        await Assert.ThrowsAsync<CorruptDataException>(async () => await Read(pool.Pool.OpenVolume("disk")!, 40, 8));
        for (var life = 0; life < 3; life++)
        {
            Assert.Equal([new DamagedRange(20_480, 4096, IsMap: false)], pool.Pool.ListDamage("disk"));
            Assert.Empty(pool.Pool.ListDamage("other"));
            Assert.Equal(["disk"], pool.Pool.GetDamage().Volumes);
            await pool.ReopenAsync();
            await pool.SettleAsync();
        }

        await pool.Pool.OpenVolume("disk")!.WriteAsync(new Lba(40), Random(8, 4));
        Assert.Empty(pool.Pool.ListDamage("disk"));
        Assert.Empty(pool.Pool.GetDamage().Volumes);
        await pool.ReopenAsync();
        await pool.SettleAsync();
        Assert.Empty(pool.Pool.ListDamage("disk"));
    }

    [Fact]
    public async Task Damage_that_was_met_is_known_after_an_unclean_stop_and_what_was_healed_by_then_is_not()
    {
        var clock = new SimulatedClock();
        var disk = new SimulatedFileSystem();
        await using var pool = await TestPool.CreateAsync(options: TestPool.DefaultOptions() with { TimeProvider = clock }, disk: disk);
        var volume = await pool.CreateVolumeAsync("disk", 8 << 20, 512);
        await volume.WriteAsync(new Lba(40), Random(16, 5));
        await volume.FlushAsync();
        Damage(pool);
        Damage(pool, byBytes: 4096);
        await Assert.ThrowsAsync<CorruptDataException>(async () => await Read(volume, 40, 8));
        await Assert.ThrowsAsync<CorruptDataException>(async () => await Read(volume, 48, 8));
        clock.Advance(pool.Options.ChecksumInterval);
        await pool.Pool.CommitAsync();
        await volume.WriteAsync(new Lba(48), Random(8, 7));
        await volume.FlushAsync();

        await using var after = await TestPool.OpenAsync(disk.LosePower(seed: 1), TestPool.DefaultOptions(2));
        await after.SettleAsync();
        Assert.Equal([new DamagedRange(20_480, 4096, IsMap: false)], after.Pool.ListDamage("disk"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("02")]
    [InlineData("0100")]
    [InlineData("01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF")] // A leaf before the first.
    [InlineData("01010000000000000000000000000000000001")] // Block 256 of a leaf that has as many.
    public void What_cannot_be_read_of_an_earlier_list_of_damage_is_left_out(string hex) =>
        Assert.Empty(DamagedPlace.Read(Convert.FromHexString(hex)));

    [Fact]
    public void A_list_of_damage_has_these_bytes()
    {
        DamagedPlace[] places = [new(5, 2, 7), new(6, 1, DamagedPlace.WholeLeaf)];
        Assert.Equal(
            "01" + "0500000000000000" + "0200000000000000" + "0700" + "0600000000000000" + "0100000000000000" + "FFFF",
            Convert.ToHexString(DamagedPlace.ToBytes(places)));
        Assert.Equal(places, DamagedPlace.Read(DamagedPlace.ToBytes(places)));
    }

    // The first window of 16 chunks that is all free, the first chunk of it, block 5: 512-byte blocks 40 to 47.
    const long DamagedOffset = (16L * MapLayout.ChunkBytes) + (5 * MapLayout.BlockBytes);

    static async Task<TestPool> DamagedAsync(PlantedBug bug = PlantedBug.None)
    {
        var pool = await TestPool.CreateAsync(options: TestPool.DefaultOptions() with { Factory = bug.ToFactory() });
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20, 512);
        await disk.WriteAsync(new Lba(40), Random(8, 5));
        await disk.WriteAsync(new Lba(48), Random(8, 6).AsMemory(0, 1024));
        await disk.FlushAsync();
        Damage(pool);
        return pool;
    }

    static void Damage(TestPool pool, int byBytes = 0)
    {
        using var file = pool.Disk.Open("/pool.data", FileOpenMode.Existing);
        var one = new byte[1];
        file.Read(one, DamagedOffset + 700 + byBytes);
        one[0] ^= 0x10;
        file.Write(one, DamagedOffset + 700 + byBytes);
    }

    static byte[] Random(int sectors, int seed) => new SeededRandom((ulong)seed).Bytes(sectors * 512);

    static async Task<byte[]> Read(IBlockDevice device, long sector, int count)
    {
        var data = new byte[count * 512];
        await device.ReadAsync(new Lba(sector), data);
        return data;
    }

    static async Task<byte[]> Read4K(IBlockDevice device, long block)
    {
        var data = new byte[4096];
        await device.ReadAsync(new Lba(block), data);
        return data;
    }
}
