using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>What was written and not flushed is there when the process was killed, and only then.</summary>
public sealed class RecentWritesTests
{
    [Fact]
    public async Task What_nobody_has_flushed_is_there_after_a_kill()
    {
        var events = new List<PoolEvent>();
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1, count: 2);
        await pool.WriteAsync(300, seed: 2);
        await pool.WriteAsync(3, seed: 3);

        pool = await pool.KillAndOpenAsync(options: TestPool.DefaultOptions() with { Observer = events.Add });

        Assert.Equal(CrashedPool.Content(3), await CrashedPool.ReadAsync(pool.Volume, 3));
        Assert.Equal(CrashedPool.Content(1, 2)[4096..], await CrashedPool.ReadAsync(pool.Volume, 4));
        Assert.Equal(CrashedPool.Content(2), await CrashedPool.ReadAsync(pool.Volume, 300));
        await pool.Pool.HearAsync();
        Assert.Contains(events, each => each.Message.Contains("3 blocks of 4096 bytes that nobody had flushed", StringComparison.Ordinal));
        Assert.True((await pool.Pool.Pool.VerifyAsync(readData: true)).IsClean);
    }

    [Fact]
    public async Task Blocks_go_back_to_the_places_where_they_lie()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);
        var before = CrashedPool.Find(pool.Disk, CrashedPool.Content(1));

        pool = await pool.KillAndOpenAsync();

        Assert.Equal(before, CrashedPool.Find(pool.Disk, CrashedPool.Content(1)));
        Assert.Equal(65536, pool.Pool.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task A_full_pool_gets_back_what_it_held()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true, chunks: 16);
        await pool.WriteAsync(0, seed: 1, count: 256);
        await Assert.ThrowsAsync<DeviceFullException>(() => pool.WriteAsync(256, seed: 2));

        pool = await pool.KillAndOpenAsync();

        Assert.Equal(CrashedPool.Content(1, 256)[(255 * 4096)..], await CrashedPool.ReadAsync(pool.Volume, 255));
    }

    [Fact]
    public async Task What_was_discarded_does_not_come_back()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);
        await pool.CommitAsync();
        await pool.Volume.TrimAsync(new Lba(3), 1);
        await pool.WriteAsync(4, seed: 2);
        await pool.Volume.WriteZeroesAsync(new Lba(4), 1, ZeroOptions.KeepAllocated);

        pool = await pool.KillAndOpenAsync();

        Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(pool.Volume, 3));
        Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(pool.Volume, 4));
    }

    // The CRC of what is there and of what was about to be is the same.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_lay_where_a_write_was_under_way_is_not_taken_for_it(bool isCrc)
    {
        var options = TestPool.DefaultOptions() with { Factory = (isCrc ? PlantedBug.LinearChecksum : PlantedBug.None).ToFactory() };
        var pool = await CrashedPool.CreateAsync(options, logsRecent: true);
        await pool.WriteAsync(4, seed: 3); // So that the chunk stays where it is.
        await pool.Volume.WriteAsync(new Lba(3), CrashedPool.Sealed(1));
        await pool.CommitAsync();
        await pool.Volume.WriteZeroesAsync(new Lba(3), 1);
        await pool.CommitAsync();
        pool.KillBeforeNextWriteTo("/pool.data");
        await Record.ExceptionAsync(async () => await pool.Volume.WriteAsync(new Lba(3), CrashedPool.Sealed(2)));

        pool = await pool.KillAndOpenAsync(options: options);

        Assert.Equal(isCrc ? CrashedPool.Sealed(1) : new byte[4096], await CrashedPool.ReadAsync(pool.Volume, 3));
    }

    [Fact]
    public async Task A_device_that_cannot_be_read_now_fails_the_opening_and_costs_nothing()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);

        var refused = await Assert.ThrowsAsync<DeviceIOException>(() => pool.KillAndOpenAsync(wrap: Failing(isTransient: true)));
        Assert.True(refused.IsTransient);
        pool = await pool.KillAndOpenAsync();

        Assert.Equal(CrashedPool.Content(1), await CrashedPool.ReadAsync(pool.Volume, 3));
    }

    [Fact]
    public async Task What_cannot_be_read_any_more_is_said_to_be_lost_also_where_it_was_written_last()
    {
        var events = new List<PoolEvent>();
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);

        pool = await pool.KillAndOpenAsync(
            options: TestPool.DefaultOptions() with { Observer = events.Add }, wrap: Failing(isTransient: false));

        await pool.Pool.HearAsync();
        var lost = Assert.Single(events, each => each.Severity == PoolEventSeverity.Error);
        Assert.Contains("1 blocks", lost.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_cannot_be_read_now_fails_the_opening_and_stays()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);
        pool.Kill();
        var faulty = new FaultyFileSystem(pool.Disk);
        faulty.Add(new FaultRule(FaultOperations.Read, FaultKind.InputOutputError) { PathPattern = "/recent/*" });

        await Assert.ThrowsAsync<DeviceIOException>(() => TestPool.OpenAsync(pool.Disk, TestPool.DefaultOptions() with
        {
            RecentWrites = new RecentWritesPlace(faulty, "/recent", pool.Disk.BootId),
        }));
        pool = await pool.KillAndOpenAsync();

        Assert.Equal(CrashedPool.Content(1), await CrashedPool.ReadAsync(pool.Volume, 3));
    }

    [Fact]
    public async Task What_took_the_place_of_a_piece_of_map_that_cannot_be_read_survives_a_kill()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(0, seed: 1, count: 256);
        await pool.Pool.DisposeAsync();
        DamagedMap.DamageLeaf(pool.Disk, "disk");
        pool = await pool.KillAndOpenAsync();
        await pool.WriteAsync(0, seed: 2, count: 256);
        await pool.WriteAsync(5, seed: 3);

        pool = await pool.KillAndOpenAsync();

        Assert.Equal(CrashedPool.Content(3), await CrashedPool.ReadAsync(pool.Volume, 5));
        Assert.Equal(CrashedPool.Content(2, 256)[(6 * 4096)..(7 * 4096)], await CrashedPool.ReadAsync(pool.Volume, 6));
    }

    // Reserving space fails, and overwriting what has it does not.
    [Fact]
    public async Task Zeros_are_zeros_also_where_the_disk_below_has_no_room_to_keep_for_them()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(0, seed: 1, count: 8);
        await pool.CommitAsync();
        await pool.Volume.WriteZeroesAsync(new Lba(4), 24, ZeroOptions.KeepAllocated);
        await pool.Volume.TrimAsync(new Lba(1), 1);

        pool = await pool.KillAndOpenAsync(wrap: device => new HookedDevice(device)
        {
            BeforeZeroes = _ => throw new DeviceFullException(device.Name, "no room"),
        });

        foreach (var block in (int[])[1, 4, 7, 16]) Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(pool.Volume, block));
        Assert.Equal(CrashedPool.Content(1), await CrashedPool.ReadAsync(pool.Volume, 0));
    }

    // Superblocks can be read, chunks cannot.
    static Func<IBlockDevice, IBlockDevice> Failing(bool isTransient) => device => new HookedDevice(device)
    {
        BeforeRead = start => start.Value * device.Geometry.BlockSizeBytes < MapLayout.ReservedChunks * MapLayout.ChunkBytes
            ? Task.CompletedTask
            : throw new DeviceIOException(device.Name, "no", isTransient),
    };

    // It is read from there, but a second kill would find nothing.
    [Fact]
    public async Task Keeping_space_for_zeros_writes_none_over_data_that_were_found()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.Volume.WriteZeroesAsync(new Lba(0), 1, ZeroOptions.KeepAllocated);
        await pool.WriteAsync(4, seed: 1);
        await pool.Volume.WriteZeroesAsync(new Lba(32), 1, ZeroOptions.KeepAllocated);
        var home = CrashedPool.Find(pool.Disk, CrashedPool.Content(1)) / MapLayout.ChunkBytes;
        var (calls, zeroed) = (0, new List<long>());

        pool = await pool.KillAndOpenAsync(wrap: device => new HookedDevice(device)
        {
            BeforeZeroes = start =>
            {
                if (calls++ % 2 == 0) throw new NotSupportedException(); // It cannot reserve, so that it is zeroed.
                zeroed.Add(start.Value * device.Geometry.BlockSizeBytes / MapLayout.ChunkBytes);
                return Task.CompletedTask;
            },
        });

        Assert.NotEmpty(zeroed);
        Assert.DoesNotContain(home, zeroed);
        Assert.Equal(CrashedPool.Content(1), await CrashedPool.ReadAsync(pool.Volume, 4));
    }

    [Fact]
    public async Task A_second_kill_loses_nothing_either()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);
        pool = await pool.KillAndOpenAsync();
        await pool.WriteAsync(5, seed: 2);
        pool = await pool.KillAndOpenAsync();

        Assert.Equal(CrashedPool.Content(1), await CrashedPool.ReadAsync(pool.Volume, 3));
        Assert.Equal(CrashedPool.Content(2), await CrashedPool.ReadAsync(pool.Volume, 5));
    }

    // The store has the block, and the log, which was cut off before it could say so, has zeros that came before it.
    [Fact]
    public async Task What_is_overwritten_after_a_recovery_that_had_nothing_to_do_survives_the_next_kill()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);
        await pool.CommitAsync();
        await pool.Volume.WriteZeroesAsync(new Lba(3), 1);
        await pool.WriteAsync(3, seed: 2);
        pool.KillBeforeNextLog();
        await Record.ExceptionAsync(async () => await pool.Volume.FlushAsync());

        pool = await pool.KillAndOpenAsync();
        await pool.WriteAsync(3, seed: 3);
        pool = await pool.KillAndOpenAsync();

        Assert.Equal(CrashedPool.Content(3), await CrashedPool.ReadAsync(pool.Volume, 3));
    }

    // Each begins a segment where the one before did.
    [Fact]
    public async Task Processes_that_die_before_they_log_anything_cost_nothing()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);
        for (var death = 0; death < 3; death++)
        {
            pool.Kill();
            await Record.ExceptionAsync(() => pool.KillAndOpenAsync(diesAt: "/recent/", writes: 1));
        }

        for (var life = 0; life < 4; life++)
        {
            pool = await pool.KillAndOpenAsync();
            await pool.WriteAsync(10 + life, seed: 10 + life);
        }

        pool = await pool.KillAndOpenAsync();
        Assert.Equal(CrashedPool.Content(1), await CrashedPool.ReadAsync(pool.Volume, 3));
        for (var life = 0; life < 4; life++)
            Assert.Equal(CrashedPool.Content(10 + life), await CrashedPool.ReadAsync(pool.Volume, 10 + life));
    }

    // The second recovery must not take for done what the first one found to be half there.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_atomic_write_that_was_under_way_is_none_also_after_a_second_kill(bool isForgotten)
    {
        var options = TestPool.DefaultOptions() with { Factory = (isForgotten ? PlantedBug.ForgetVoids : PlantedBug.None).ToFactory() };
        var pool = await CrashedPool.CreateAsync(options, logsRecent: true);
        await pool.WriteAsync(0, seed: 1, count: 2);
        await pool.CommitAsync();
        await pool.WriteAsync(5, seed: 3);
        pool.KillBeforeNextWriteTo("/pool.data");
        byte[] half = [.. new byte[4096], .. CrashedPool.Content(4)]; // What is not written there reads as zeros.
        await Record.ExceptionAsync(async () => await pool.Volume.WriteAsync(new Lba(0), half, WriteOptions.Atomic));

        pool.Kill();
        await Record.ExceptionAsync(() => pool.KillAndOpenAsync(options: options, diesAt: "/pool.data"));
        pool = await pool.KillAndOpenAsync(options: options);

        var first = await CrashedPool.ReadAsync(pool.Volume, 0);
        Assert.Equal(isForgotten, !first.AsSpan().SequenceEqual(CrashedPool.Content(1, 2).AsSpan(0, 4096)));
        Assert.Equal(CrashedPool.Content(1, 2)[4096..], await CrashedPool.ReadAsync(pool.Volume, 1));
        Assert.Equal(CrashedPool.Content(3), await CrashedPool.ReadAsync(pool.Volume, 5));
    }

    // A leaf that is written while a commit captures others is captured twice.
    [Fact]
    public async Task What_is_overwritten_after_a_commit_that_had_a_leaf_twice_survives_a_kill()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(0, seed: 1);
        await pool.WriteAsync(5, seed: 2);
        await pool.CommitAsync();
        await pool.WriteAsync(0, seed: 3);
        await pool.Volume.WriteZeroesAsync(new Lba(5), 1);
        await pool.WriteAsync(5, seed: 4);
        await pool.WriteAsync(300, seed: 5);
        var volume = (VolumeDevice)pool.Volume;
        var (first, second) = (volume.Leaves.Find(0)!, volume.Leaves.Find(1)!);
        await second.WriteLock.EnterAsync();
        var commit = Task.Run(pool.Pool.Pool.CommitAsync);
        SpinWait.SpinUntil(() => first.Dirt == LeafDirt.None);
        await pool.WriteAsync(7, seed: 6);
        second.WriteLock.Exit();
        await commit;

        await pool.WriteAsync(5, seed: 7);
        await pool.Volume.FlushAsync();
        pool = await pool.KillAndOpenAsync();

        Assert.Equal(CrashedPool.Content(7), await CrashedPool.ReadAsync(pool.Volume, 5));
        Assert.Equal(CrashedPool.Content(6), await CrashedPool.ReadAsync(pool.Volume, 7));
    }

    // A disk that goes away and comes back within one start of the machine: the log was never synced.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_log_that_has_lost_what_came_after_the_last_commit_takes_nothing_back(bool isFloorIgnored)
    {
        var options = TestPool.DefaultOptions() with { Factory = (isFloorIgnored ? PlantedBug.ForgetStored : PlantedBug.None).ToFactory() };
        var pool = await CrashedPool.CreateAsync(options, logsRecent: true);
        await pool.WriteAsync(5, seed: 1);
        await pool.CommitAsync();
        await pool.Volume.WriteZeroesAsync(new Lba(5), 1);
        await pool.WriteAsync(5, seed: 2);
        await pool.Volume.FlushAsync();
        await pool.WriteAsync(5, seed: 3);
        await pool.Volume.FlushAsync();
        pool.Kill();
        CutLogAt(pool.Disk, RecentKind.Covered, nth: 2);

        pool = await pool.KillAndOpenAsync(options: options);

        Assert.Equal(isFloorIgnored ? new byte[4096] : CrashedPool.Content(3), await CrashedPool.ReadAsync(pool.Volume, 5));
    }

    static void CutLogAt(SimulatedFileSystem disk, RecentKind kind, int nth)
    {
        using var file = disk.Open("/recent/recent-0000", FileOpenMode.Existing);
        var bytes = file.ReadWhole();
        var offset = RecentWriteFormat.HeaderBytes;
        for (ulong sequence = 1; RecentWriteFormat.TryReadRecord(bytes.AsSpan(offset), sequence, out var record); sequence++)
        {
            if (record.Kind == kind && --nth == 0)
            {
                file.Write(new byte[record.LengthBytes], offset);
                return;
            }

            offset += record.LengthBytes;
        }

        throw new InvalidOperationException("there is no such record");
    }

    [Fact]
    public async Task A_log_of_another_start_of_the_machine_does_not_count()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);

        pool = await pool.KillAndOpenAsync(bootId: new Guid("11111111-1111-1111-1111-111111111111"));

        Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(pool.Volume, 3));
    }

    // An earlier program that opens the pool in between says that it is open, and by nobody.
    [Fact]
    public async Task A_log_that_an_earlier_program_has_opened_the_pool_after_does_not_count()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);
        pool.Kill();
        using (var store = TestPool.OpenStore(pool.Disk)) store.Put(MapKeys.IsOpen, []);

        pool = await pool.KillAndOpenAsync();

        Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(pool.Volume, 3));
    }

    [Fact]
    public async Task A_log_that_has_lost_its_end_does_not_count()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);
        await pool.WriteAsync(4, seed: 2);
        await pool.Volume.FlushAsync(); // Says how far the log had come.
        await pool.WriteAsync(5, seed: 3);
        pool.Kill();
        using (var file = pool.Disk.Open("/recent/recent-0000", FileOpenMode.Existing))
            file.Write(new byte[1], RecentWriteFormat.HeaderBytes + RecentWriteFormat.RecordHeaderBytes + RecentWriteFormat.RunBytes + 4);

        pool = await pool.KillAndOpenAsync();

        Assert.Equal(CrashedPool.Content(2), await CrashedPool.ReadAsync(pool.Volume, 4));
        Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(pool.Volume, 5));
    }

    [Fact]
    public async Task A_pool_that_was_closed_leaves_no_log()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        await pool.WriteAsync(3, seed: 1);
        await pool.Pool.DisposeAsync();
        Assert.Empty(pool.Disk.List("/recent"));
    }

    [Fact]
    public async Task Segments_are_used_again()
    {
        var pool = await CrashedPool.CreateAsync(logsRecent: true);
        // Each block has a record of its own, of 56 bytes; a flush covers them.
        for (var pass = 0; pass < 60; pass++)
        {
            for (var block = 0; block < 4000; block += 2) await pool.WriteAsync(block, seed: 1);
            await pool.Volume.TrimAsync(Lba.Zero, 4000);
            await pool.Volume.FlushAsync();
        }

        Assert.InRange(pool.Disk.List("/recent").Count, 2, 3);
        await pool.WriteAsync(7, seed: 1000);
        pool = await pool.KillAndOpenAsync();
        Assert.Equal(CrashedPool.Content(1000), await CrashedPool.ReadAsync(pool.Volume, 7));
    }

    [Fact]
    public async Task Where_it_cannot_be_written_it_goes_and_writes_go_on()
    {
        var events = new List<PoolEvent>();
        var disk = new SimulatedFileSystem(isRecording: false);
        var faulty = new FaultyFileSystem(disk);
        await using var pool = await TestPool.CreateAsync(disk: disk, options: TestPool.DefaultOptions() with
        {
            Observer = events.Add,
            RecentWrites = new RecentWritesPlace(faulty, "/recent", disk.BootId),
        });
        var volume = await pool.CreateVolumeAsync("disk", 16 << 20);
        await volume.WriteAsync(new Lba(1), CrashedPool.Content(1));
        faulty.Add(new FaultRule(FaultOperations.Write, FaultKind.NoSpace));

        await volume.WriteAsync(new Lba(2), CrashedPool.Content(2));

        Assert.Empty(disk.List("/recent"));
        await pool.HearAsync();
        Assert.Contains(events, each => each.Message.Contains("the log of recent writes cannot be written", StringComparison.Ordinal));
        await volume.FlushAsync();
        Assert.Equal(CrashedPool.Content(2), await CrashedPool.ReadAsync(volume, 2));
    }
}
