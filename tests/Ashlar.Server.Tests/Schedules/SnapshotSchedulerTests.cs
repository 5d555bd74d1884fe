using System.Collections.Concurrent;
using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Volumes;

namespace Ashlar.Server.Tests.Schedules;

/// <summary>Snapshots by themselves, on a clock of the test's.</summary>
public sealed class SnapshotSchedulerTests : IAsyncLifetime
{
    readonly SimulatedFileSystem disk = new(isRecording: false);
    readonly SimulatedClock clock = new(); // What jumps is the time of day: no timer fires, and each look is the test's.
    readonly ConcurrentQueue<string> lines = new();
    ServedPool pool = null!;

    public async Task InitializeAsync()
    {
        var (device, store) = (FileDevice.Create(disk, "/data", 8 << 20), OpenStore());
        await StoragePool.FormatAsync("main", device, store, new() { TimeProvider = clock });
        await ServeAsync(device, store);
        await pool.CreateAsync(new() { Name = "vm1", SizeBytes = 1 << 20 });
    }

    public async Task DisposeAsync() => await pool.DisposeAsync();

    [Fact]
    public async Task Snapshots_are_taken_when_they_are_due_and_deleted_when_they_need_not_stay()
    {
        await SetAsync(hourly: 3, daily: 2);
        for (var hour = 0; hour < 60; hour++)
        {
            clock.JumpWallClock(TimeSpan.FromHours(1));
            await pool.KeepSchedulesAsync();
        }

        var now = clock.GetUtcNow();
        Assert.InRange(Names().Length, 4, 5); // The first of a day may be of the newest hours, too.
        Assert.Contains($"auto-{now:yyyyMMdd}T{now:HHmmss}Z".ToLowerInvariant(), Names());
        Assert.All(pool.ListSnapshots("vm1"), each => Assert.True(pool.IsScheduled(each)));
    }

    [Fact]
    public async Task Time_without_the_server_is_made_up_for_by_one_snapshot_and_the_schedule_stays()
    {
        await SetAsync(hourly: 24);
        await pool.KeepSchedulesAsync();
        await ReopenAsync();
        clock.JumpWallClock(TimeSpan.FromDays(3));
        await pool.KeepSchedulesAsync();
        await pool.KeepSchedulesAsync();
        Assert.Equal(2, Names().Length);
        Assert.Equal(24, pool.ScheduleOf(pool.Get("vm1"))!.Hourly);
    }

    [Fact]
    public async Task Only_its_own_snapshots_go()
    {
        await pool.TakeSnapshotsAsync([new("vm1", "mine")], "test");
        await SetAsync(hourly: 1);
        await pool.KeepSchedulesAsync();
        var own = Assert.Single(Names(), name => name.StartsWith("auto-", StringComparison.Ordinal));
        // By its note, not by its name.
        await pool.RenameSnapshotAsync("vm1", own, "renamed", "test");
        await pool.TakeSnapshotsAsync([new("vm1", "auto-20200101t000000z")], "test");
        clock.JumpWallClock(TimeSpan.FromHours(2));
        await pool.KeepSchedulesAsync();
        Assert.Equal(3, Names().Length);
        Assert.DoesNotContain("renamed", Names());
        Assert.Contains("mine", Names());
        Assert.Contains("auto-20200101t000000z", Names());
    }

    [Fact]
    public async Task What_clones_need_or_clients_read_stays_as_long()
    {
        await SetAsync(hourly: 1);
        await pool.KeepSchedulesAsync();
        var first = Assert.Single(Names());
        await pool.CloneAsync("vm1", first, "copy", "test");
        clock.JumpWallClock(TimeSpan.FromHours(1));
        await pool.KeepSchedulesAsync();
        var second = Names().Single(name => name != first);
        Assert.True(pool.TryAttachSnapshot("vm1", second, new(ClientProtocol.Nbd, "c", "c"), out _, out var session));
        clock.JumpWallClock(TimeSpan.FromHours(1));
        await pool.KeepSchedulesAsync();
        Assert.Equal(3, Names().Length);
        session.Dispose();
        await pool.DeleteAsync("copy", force: false, isNow: true);
        await pool.KeepSchedulesAsync();
        Assert.Single(Names());
    }

    [Fact]
    public async Task No_schedule_takes_nothing_and_leaves_what_there_is()
    {
        await SetAsync(hourly: 2);
        await pool.KeepSchedulesAsync();
        await SetAsync(hourly: 0);
        clock.JumpWallClock(TimeSpan.FromDays(1));
        await pool.KeepSchedulesAsync();
        Assert.Single(Names());
        Assert.Null(pool.ScheduleOf(pool.Get("vm1")));
        Assert.Contains(lines, line => line.Contains("no snapshots by themselves any more", StringComparison.Ordinal));
    }

    Task<VolumeInfo> SetAsync(int hourly, int daily = 0) =>
        pool.ChangeAsync("vm1", new() { SnapshotSchedule = new() { Hourly = hourly, Daily = daily } }, "test");

    string[] Names() => [.. pool.ListSnapshots("vm1").Where(each => !each.IsDeleted).Select(each => each.Name)];

    async Task ReopenAsync()
    {
        await pool.DisposeAsync();
        await ServeAsync(FileDevice.Open(disk, "/data"), OpenStore());
    }

    async Task ServeAsync(FileDevice device, KeyValueStore store)
    {
        var opened = await StoragePool.OpenAsync(device, store, new() { TimeProvider = clock });
        await opened.RecoverImportsAsync();
        pool = new ServedPool(opened, entry => lines.Enqueue(entry.Message), clock);
    }

    KeyValueStore OpenStore() => KeyValueStore.Open("/meta", new() { FileSystem = disk });
}
