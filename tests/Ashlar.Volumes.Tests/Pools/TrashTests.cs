using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>A deleted volume can be had back until its time is over or its space is needed.</summary>
public sealed class TrashTests
{
    const int Chunk = MapLayout.ChunkBytes;

    readonly SimulatedFileSystem disk = new(isRecording: false);
    readonly SimulatedClock clock = new();
    readonly List<PoolEvent> events = [];

    PoolOptions Options => TestPool.DefaultOptions(2) with { TimeProvider = clock, Observer = events.Add };

    [Fact]
    public async Task It_is_gone_for_everyone_its_name_is_free_and_it_comes_back_as_it_was()
    {
        await using var pool = await TestPool.CreateAsync(options: Options, disk: disk);
        var volume = await pool.CreateVolumeAsync("disk", 16 << 20);
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(1));
        var before = pool.Pool.FindVolume("disk")!;
        var trashed = (await pool.Pool.TrashVolumeAsync("disk"))!;
        Assert.Equal(before, trashed.Volume);
        Assert.Equal(clock.GetUtcNow() + StoragePool.DefaultTrashRetention, trashed.ExpiresAt);
        Assert.Null(pool.Pool.FindVolume("disk"));
        Assert.Null(pool.Pool.OpenVolume("disk"));
        Assert.Empty(pool.Pool.ListVolumes());
        await Assert.ThrowsAsync<VolumeDeletedException>(async () => await volume.ReadAsync(Lba.Zero, new byte[4096]));
        await Assert.ThrowsAsync<VolumeDeletedException>(async () => await volume.WriteAsync(Lba.Zero, new byte[4096]));
        await Assert.ThrowsAsync<VolumeNameException>(async () => await pool.Pool.TrashVolumeAsync("disk"));
        var usage = pool.Pool.GetUsage();
        Assert.Equal(
            (Chunk, Chunk, usage.CapacityBytes, 0), (usage.AllocatedBytes, usage.TrashBytes, usage.FreeBytes, usage.ProvisionedBytes));

        await pool.CreateVolumeAsync("disk", 1 << 20);
        var taken = await Assert.ThrowsAsync<VolumeNameException>(async () => await pool.Pool.RestoreVolumeAsync(before.Id));
        Assert.Equal(VolumeNameProblem.Taken, taken.Problem);
        await pool.ReopenAsync();
        Assert.Equal(trashed with { Volume = before }, Assert.Single(pool.Pool.ListTrash()));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);

        Assert.Equal(before with { Name = "back" }, await pool.Pool.RestoreVolumeAsync(before.Id, "back"));
        Assert.Null(await pool.Pool.RestoreVolumeAsync(before.Id));
        Assert.Null(await pool.Pool.PurgeVolumeAsync(before.Id));
        Assert.Empty(pool.Pool.ListTrash());
        Assert.Equal(CrashedPool.Content(1), await CrashedPool.ReadAsync(pool.Pool.OpenVolume("back")!, 0));
        await pool.ReopenAsync();
        Assert.Equal(["back", "disk"], pool.Pool.ListVolumes().Select(each => each.Name));
        Assert.Equal(0, pool.Pool.GetUsage().TrashBytes);
    }

    [Fact]
    public async Task It_goes_when_its_time_is_over_also_one_that_passed_while_the_pool_was_closed()
    {
        await using var pool = await TestPool.CreateAsync(options: Options, disk: disk);
        foreach (var name in (string[])["first", "second"])
        {
            await (await pool.CreateVolumeAsync(name, 1 << 20)).WriteAsync(Lba.Zero, CrashedPool.Content(1));
            await pool.Pool.TrashVolumeAsync(name);
            clock.Advance(TimeSpan.FromHours(1));
        }
        clock.Advance(TimeSpan.FromHours(22.5));
        await pool.Pool.Work.WaitAsync(Timeout.InfiniteTimeSpan); // One piece of work begins another.
        Assert.Equal(["second"], pool.Pool.ListTrash().Select(each => each.Volume.Name).Order());
        await pool.Pool.DisposeAsync();
        clock.Advance(TimeSpan.FromHours(1));
        var next = await TestPool.OpenAsync(disk, Options);
        clock.Advance(TimeSpan.FromSeconds(11));
        await next.Pool.Work.WaitAsync(Timeout.InfiniteTimeSpan);
        Assert.Empty(next.Pool.ListTrash());
        Assert.Equal(0, next.Pool.GetUsage().AllocatedBytes);
        await next.HearAsync();
        Assert.Contains(events, each => each.Message.Contains("volume second", StringComparison.Ordinal)
            && each.Message.Contains("its time in the trash is over", StringComparison.Ordinal));
        await next.DisposeAsync();
    }

    [Fact]
    public async Task Volume_and_pool_say_how_long_and_zero_is_not_at_all()
    {
        await using var pool = await TestPool.CreateAsync(options: Options, disk: disk);
        await pool.Pool.SetTrashRetentionAsync(TimeSpan.Zero);
        await pool.ReopenAsync();
        Assert.Equal(TimeSpan.Zero, pool.Pool.TrashRetention);
        await pool.CreateVolumeAsync("plain", 1 << 20);
        await pool.CreateVolumeAsync("dear", 1 << 20);
        await pool.Pool.DescribeVolumeAsync("dear", _ => new() { TrashRetention = TimeSpan.FromDays(7) });
        Assert.Null(await pool.Pool.TrashVolumeAsync("plain"));
        Assert.Equal(clock.GetUtcNow().AddDays(7), (await pool.Pool.TrashVolumeAsync("dear"))!.ExpiresAt);
        Assert.Equal("dear", Assert.Single(pool.Pool.ListTrash()).Volume.Name);
        await Assert.ThrowsAsync<ArgumentException>(async () => await pool.Pool.SetTrashRetentionAsync(TimeSpan.FromDays(3651)));
        await Assert.ThrowsAsync<ArgumentException>(async () => await pool.Pool.SetTrashRetentionAsync(TimeSpan.FromSeconds(-1)));
    }

    [Fact]
    public async Task A_write_that_finds_no_room_takes_the_oldest_that_hold_what_it_needs()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 64, options: Options, disk: disk);
        foreach (var name in (string[])["empty", "a", "b", "c"])
        {
            var volume = await pool.CreateVolumeAsync(name, 1 << 20);
            if (name != "empty") await volume.WriteAsync(Lba.Zero, new byte[1 << 20]);
            await volume.FlushAsync();
            await pool.Pool.TrashVolumeAsync(name);
            clock.Advance(TimeSpan.FromMinutes(1));
        }
        var next = await pool.CreateVolumeAsync("next", 4 << 20);
        await next.WriteAsync(Lba.Zero, new byte[1 << 20]);
        Assert.Equal(4, pool.Pool.ListTrash().Count); // So far there was room.
        await next.WriteAsync(new Lba(256), new byte[1 << 20]);
        Assert.Equal(["empty", "b", "c"], pool.Pool.ListTrash().Select(each => each.Volume.Name));
        await next.WriteAsync(new Lba(512), new byte[2 << 20]);
        Assert.Equal(["empty"], pool.Pool.ListTrash().Select(each => each.Volume.Name));
        await pool.SettleAsync();
        await pool.HearAsync();
        Assert.Equal(3, events.Count(each => each.Message.Contains("because the pool needs its space", StringComparison.Ordinal)));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task A_thick_volume_gets_the_space_of_the_trash_and_one_that_does_not_fit_leaves_it_alone()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 64, options: Options, disk: disk);
        foreach (var name in (string[])["kept", "a", "b"])
        {
            await pool.CreateVolumeAsync(name, 1 << 20, isThick: true);
            if (name != "kept") await pool.Pool.TrashVolumeAsync(name);
            clock.Advance(TimeSpan.FromMinutes(1));
        }
        await Assert.ThrowsAsync<DeviceFullException>(() => pool.CreateVolumeAsync("large", 49 * Chunk, isThick: true));
        await Assert.ThrowsAsync<DeviceFullException>(async () => await pool.Pool.ResizeVolumeAsync("kept", 65 * Chunk));
        Assert.Equal(["a", "b"], pool.Pool.ListTrash().Select(each => each.Volume.Name));
        await pool.CreateVolumeAsync("large", 32 * Chunk, isThick: true);
        Assert.Equal(["b"], pool.Pool.ListTrash().Select(each => each.Volume.Name));
        await pool.Pool.ResizeVolumeAsync("kept", 32 * Chunk);
        Assert.Empty(pool.Pool.ListTrash());
        await pool.SettleAsync();
        Assert.Equal(64 * Chunk, pool.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task It_is_lost_or_there_but_never_half_whatever_moment_the_power_fails()
    {
        var result = await ExploreAsync(isMarkedEarly: false);
        Assert.True(result is { Distinct: >= 20, Nested: >= 20, Deaths: >= 8 }, result.ToString());
    }

    [Fact]
    public async Task An_answer_before_its_time_is_found_by_a_crash() =>
        await Assert.ThrowsAsync<CrashCheckException>(() => ExploreAsync(isMarkedEarly: true));

    static Task<CrashExplorerResult> ExploreAsync(bool isMarkedEarly) => CrashExplorer.ExploreAsync(
        async recorded =>
        {
            await using var pool = await TestPool.CreateAsync(chunks: 64, disk: recorded);
            await (await pool.CreateVolumeAsync("disk", 1 << 20)).WriteAsync(Lba.Zero, CrashedPool.Content(1));
            await pool.Pool.CommitAsync();
            var id = pool.Pool.FindVolume("disk")!.Id;
            recorded.RestartTrace();
            await StepAsync("trashed", async () => await pool.Pool.TrashVolumeAsync("disk"));
            await StepAsync("restored", async () => await pool.Pool.RestoreVolumeAsync(id, "back"));
            await StepAsync("trashed", async () => await pool.Pool.TrashVolumeAsync("back"));
            await StepAsync("purged", async () => await pool.Pool.PurgeVolumeAsync(id));

            async Task StepAsync(string name, Func<Task> act)
            {
                recorded.Mark(new Reached(name, isMarkedEarly));
                await act();
                recorded.Mark(new Reached(name, IsDone: true));
            }
        },
        async state =>
        {
            await using var pool = await TestPool.OpenAsync(state.Disk, TestPool.DefaultOptions(state.Seed));
            await pool.SettleAsync();
            state.RecoveryDone();
            var reached = state.Marks.OfType<Reached>().ToArray();
            var allowed = new List<string>();
            if (reached is [.., { IsDone: false } pending]) allowed.Add(pending.Step);
            allowed.Add(reached.LastOrDefault(mark => mark.IsDone)?.Step ?? "created");
            var found = (pool.Pool.ListVolumes(), pool.Pool.ListTrash()) switch
            {
                ([{ Name: "disk" }], []) => "created",
                ([{ Name: "back" }], []) => "restored",
                ([], [_]) => "trashed",
                ([], []) => "purged",
                _ => "both",
            };
            Assert.Contains(found, allowed);
            if (found == "trashed") await pool.Pool.RestoreVolumeAsync(pool.Pool.ListTrash()[0].Volume.Id, "back");
            if (found != "purged")
            {
                var volume = pool.Pool.OpenVolume(pool.Pool.ListVolumes()[0].Name)!;
                Assert.Equal(CrashedPool.Content(1), await CrashedPool.ReadAsync(volume, 0));
            }
            Assert.Equal(found == "purged" ? 0 : Chunk, pool.Pool.GetUsage().AllocatedBytes);
            Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
        },
        new CrashExplorerOptions { StateBudget = 250, NestedOneIn = 20, NestedBudget = 3, KilledOneIn = 4, Replay = null });

    sealed record Reached(string Step, bool IsDone);
}
