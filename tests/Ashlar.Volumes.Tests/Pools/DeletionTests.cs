using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>A deleted volume is gone at once; its space follows, whatever becomes of the map and of the process.</summary>
public sealed class DeletionTests
{
    const int BlocksPerLeaf = MapLayout.BlocksPerLeaf;

    readonly SimulatedFileSystem disk = new(isRecording: false);
    readonly List<PoolEvent> events = [];
    HookedDevice hooks = null!;

    PoolOptions Options => TestPool.DefaultOptions(2) with { Observer = each => Record(each) };

    [Fact]
    public async Task The_call_returns_before_the_space_is_free_and_nothing_waits_for_it()
    {
        await using var pool = await CreateAsync();
        await WriteAsync(await pool.CreateVolumeAsync("disk", 16 << 20), leaves: 4);
        var goOn = new TaskCompletionSource();
        hooks.BeforeFlush = () => goOn.Task;
        await pool.Pool.OpenVolume("disk")!.WriteAsync(Lba.Zero, new byte[4096]); // So that the commit of the deletion must flush.
        var deletion = await pool.Pool.DeleteVolumeAsync("disk");
        Assert.False(deletion.Completion.IsCompleted);
        Assert.Equal(4 << 20, deletion.TotalBytes);
        Assert.InRange(deletion.FreedBytes, 0, deletion.TotalBytes);
        var progress = pool.Pool.GetStatistics().Deletions;
        Assert.Equal((1, 4 << 20), (progress.Volumes, progress.TotalBytes));
        await pool.CreateVolumeAsync("disk", 16 << 20); // The name is free.
        await pool.Pool.ResizeVolumeAsync("disk", 32 << 20);
        goOn.SetResult();
        await deletion.Completion;
        Assert.Equal(deletion.TotalBytes, deletion.FreedBytes);
        Assert.Equal(new DeletionProgress(0, 0, 0), pool.Pool.GetStatistics().Deletions);
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task A_leaf_that_cannot_be_read_is_given_up_and_its_space_is_found_again()
    {
        await PrepareAsync("disk", "other");
        var lost = DamagedMap.DamageLeaf(disk, "disk", fromLeaf: 2);

        await using var pool = await TestPool.OpenAsync(disk, Options);
        await pool.DeleteVolumeAsync("disk");
        await pool.SettleAsync();
        Assert.Equal(4 << 20, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
        await pool.HearAsync();
        Assert.Contains(events, each => each is { Kind: PoolEventKind.DamagedMap, Volume: "disk" } && each.Message.Contains($"MiB {lost}", StringComparison.Ordinal));
        Assert.Contains(events, each => each.Kind == PoolEventKind.Reclaim && each.Message.Contains("1048576 bytes", StringComparison.Ordinal));

        // What was found can be used.
        await WriteAsync(await pool.CreateVolumeAsync("full", 64 << 20), leaves: 12);
        Assert.Equal(0, pool.Pool.GetUsage().FreeBytes);
        await pool.ReopenAsync();
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task Nothing_is_taken_for_leaked_while_a_leaf_of_another_volume_cannot_be_read()
    {
        await PrepareAsync("disk", "other");
        DamagedMap.DamageLeaf(disk, "disk");
        DamagedMap.DamageLeaf(disk, "other");

        var pool = await TestPool.OpenAsync(disk, Options);
        await pool.DeleteVolumeAsync("disk");
        await pool.SettleAsync();
        Assert.Equal((4 << 20) + (1 << 20), pool.Pool.GetUsage().AllocatedBytes);
        await pool.DeleteVolumeAsync("other");
        await pool.SettleAsync();
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
        await pool.DisposeAsync();
        await using var reopened = await TestPool.OpenAsync(disk, Options);
        Assert.Empty((await reopened.Pool.VerifyAsync()).Problems);
    }

    [Fact]
    public async Task A_deletion_that_fails_keeps_neither_the_others_nor_the_closing_nor_the_next_opening()
    {
        await PrepareAsync("disk", "other");
        var failing = await TestPool.OpenAsync(disk, Options, wrap: device => hooks = new HookedDevice(device));
        await failing.Pool.OpenVolume("disk")!.WriteAsync(Lba.Zero, new byte[4096]);
        hooks.BeforeFlush = () => throw new DeviceIOException("below", "as told", isTransient: false);
        var deletion = await failing.Pool.DeleteVolumeAsync("disk");
        await Assert.ThrowsAsync<DeviceIOException>(() => deletion.Completion);
        await failing.DisposeAsync();
        Assert.Contains(events, each => each is { Kind: PoolEventKind.Volume, Volume: "disk" });

        await using var pool = await TestPool.OpenAsync(disk, Options);
        await pool.SettleAsync();
        Assert.Equal(["other"], pool.Pool.ListVolumes().Select(volume => volume.Name));
        Assert.Equal(4 << 20, pool.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task A_pool_that_closes_while_it_frees_space_goes_on_when_it_is_opened()
    {
        await PrepareAsync("disk", "other");
        var closing = await TestPool.OpenAsync(disk, Options, wrap: device => hooks = new HookedDevice(device));
        var goOn = new TaskCompletionSource();
        hooks.BeforeFlush = () => goOn.Task;
        await closing.Pool.OpenVolume("disk")!.WriteAsync(Lba.Zero, new byte[4096]);
        await closing.Pool.DeleteVolumeAsync("disk");
        var deletion = await closing.Pool.DeleteVolumeAsync("other"); // Waits for the first.
        var closed = closing.DisposeAsync().AsTask();
        goOn.SetResult();
        await closed;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => deletion.Completion);

        await using var pool = await TestPool.OpenAsync(disk, Options);
        await pool.SettleAsync();
        Assert.Empty(pool.Pool.ListVolumes());
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Empty((await pool.Pool.VerifyAsync()).Problems);
    }

    [Fact]
    public async Task A_thick_volume_takes_the_place_of_one_that_was_just_deleted()
    {
        await using var pool = await CreateAsync();
        await pool.CreateVolumeAsync("old", 14 << 20, isThick: true);
        await pool.Pool.DeleteVolumeAsync("old");
        await pool.CreateVolumeAsync("new", 14 << 20, isThick: true);
        Assert.Equal(14 << 20, pool.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task Shrinking_over_a_leaf_that_cannot_be_read_gives_it_up()
    {
        await PrepareAsync("disk");
        DamagedMap.DamageLeaf(disk, "disk", fromLeaf: 2);
        await using var pool = await TestPool.OpenAsync(disk, Options);
        await pool.Pool.ResizeVolumeAsync("disk", 1 << 20, allowShrink: true);
        await pool.SettleAsync();
        Assert.Equal(1 << 20, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Empty((await pool.Pool.VerifyAsync()).Problems);
    }

    [Fact]
    public async Task Shrinking_into_a_leaf_that_cannot_be_read_leaves_it_unreadable_and_brings_nothing_back()
    {
        await PrepareAsync("disk");
        DamagedMap.DamageLeaf(disk, "disk", fromLeaf: 1);
        var pool = await TestPool.OpenAsync(disk, Options);
        // The leaf in which the end falls cannot be read, and cannot be given up.
        await pool.Pool.ResizeVolumeAsync("disk", (1 << 20) + 4096, allowShrink: true);
        Assert.Equal((1 << 20) + 4096, pool.Pool.FindVolume("disk")!.SizeBytes);
        await pool.DisposeAsync();
        await using var reopened = await TestPool.OpenAsync(disk, Options);
        Assert.Equal((1 << 20) + 4096, reopened.Pool.FindVolume("disk")!.SizeBytes);
        await reopened.Pool.ResizeVolumeAsync("disk", 4 << 20);
        var volume = reopened.Pool.OpenVolume("disk")!;
        await Assert.ThrowsAsync<CorruptDataException>(async () => await volume.ReadAsync(new Lba(BlocksPerLeaf + 1), new byte[4096]));
        await volume.TrimAsync(new Lba(BlocksPerLeaf), BlocksPerLeaf);
        await volume.ReadAsync(new Lba(BlocksPerLeaf + 1), new byte[4096]);
    }

    async Task PrepareAsync(params string[] names)
    {
        await using var pool = await CreateAsync();
        foreach (var name in names) await WriteAsync(await pool.CreateVolumeAsync(name, 16 << 20), leaves: 4);
    }

    Task<TestPool> CreateAsync() => TestPool.CreateAsync(disk: disk, wrap: device => hooks = new HookedDevice(device));

    void Record(PoolEvent each)
    {
        lock (events) events.Add(each);
    }

    static async Task WriteAsync(IBlockDevice volume, int leaves)
    {
        for (var leaf = 0; leaf < leaves; leaf++)
            await volume.WriteAsync(new Lba(leaf * BlocksPerLeaf), new SeededRandom((ulong)leaf).Bytes(BlocksPerLeaf * 4096));
        await volume.FlushAsync();
        await volume.FlushAsync();
    }
}
