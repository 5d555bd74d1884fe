using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>What is refused while a snapshot is being taken, or while a volume goes back to one.</summary>
public sealed class BusySnapshotTests
{
    const int Mebibyte = 1 << 20;

    readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    HookedDevice device = null!;

    [Fact]
    public async Task A_snapshot_that_is_being_taken_is_nobodys_yet()
    {
        await using var pool = await CreateAsync();
        var volume = await pool.CreateVolumeAsync("disk", 2 * Mebibyte);
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(1, 256));
        await pool.Pool.TakeSnapshotAsync("disk", "old");
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(2, 256));
        device.BeforeFlush = WaitAsync;
        var taking = pool.Pool.TakeSnapshotAsync("disk", "new").AsTask();
        await begun.Task;

        Assert.Null(pool.Pool.FindSnapshot("disk", "new"));
        Assert.Null(pool.Pool.OpenSnapshot("disk", "new"));
        await RefusedAsync(SnapshotProblem.Unknown, async () => await pool.Pool.CloneAsync("disk", "new", "clone"));
        await RefusedAsync(SnapshotProblem.Unknown, async () => await pool.Pool.DeleteSnapshotsAsync("disk", ["new"]));
        await RefusedAsync(SnapshotProblem.Unknown, async () => await pool.Pool.RenameSnapshotAsync("disk", "new", "other"));
        await RefusedAsync(SnapshotProblem.Unknown, async () => await pool.Pool.RestoreSnapshotAsync("disk", "new"));
        await RefusedAsync(SnapshotProblem.NameTaken, async () => await pool.Pool.RenameSnapshotAsync("disk", "old", "new"));
        await RefusedAsync(SnapshotProblem.InUse, async () => await pool.Pool.RestoreSnapshotAsync("disk", "old"));
        await RefusedAsync(SnapshotProblem.InUse, async () => await pool.Pool.DeleteVolumeAsync("disk", withSnapshots: true));
        await RefusedAsync(SnapshotProblem.InUse, async () => await pool.Pool.TrashVolumeAsync("disk", withSnapshots: true));
        goOn.SetResult();

        Assert.Equal("new", (await taking).Name);
        Assert.Equal(CrashedPool.Content(2, 256), await ReadAsync(pool.Pool.OpenSnapshot("disk", "new")!));
        Assert.Equal(CrashedPool.Content(1, 256), await ReadAsync(pool.Pool.OpenSnapshot("disk", "old")!));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task A_volume_that_goes_back_to_a_snapshot_is_left_alone_until_it_is_there()
    {
        await using var pool = await CreateAsync();
        var volume = await pool.CreateVolumeAsync("disk", Mebibyte);
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(1, 256));
        await pool.Pool.TakeSnapshotAsync("disk", "first");
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(2, 256));
        await pool.Pool.TakeSnapshotAsync("disk", "second");
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(3, 256));
        device.BeforeRead = _ => WaitAsync();
        var restoring = pool.Pool.RestoreSnapshotAsync("disk", "first").AsTask();
        await begun.Task;

        Assert.True(pool.Pool.FindVolume("disk")!.IsRestoring);
        await Assert.ThrowsAsync<DeviceIOException>(async () => await volume.ReadAsync(Lba.Zero, new byte[4096]));
        await Assert.ThrowsAsync<DeviceIOException>(async () => await volume.WriteAsync(Lba.Zero, new byte[4096]));
        await RefusedAsync(SnapshotProblem.InUse, async () => await pool.Pool.RestoreSnapshotAsync("disk", "second"));
        await RefusedAsync(SnapshotProblem.InUse, async () => await pool.Pool.TakeSnapshotAsync("disk", "third"));
        await RefusedAsync(SnapshotProblem.InUse, async () => await pool.Pool.DeleteSnapshotsAsync("disk", ["first"]));
        await RefusedAsync(SnapshotProblem.InUse, async () => await pool.Pool.DeleteSnapshotsAsync("disk", ["second"]));
        await RefusedAsync(SnapshotProblem.InUse, async () => await pool.Pool.ResizeVolumeAsync("disk", 2 * Mebibyte));
        await RefusedAsync(SnapshotProblem.InUse, async () => await pool.Pool.TrashVolumeAsync("disk", withSnapshots: true));
        goOn.SetResult();

        await restoring;
        Assert.Equal(CrashedPool.Content(1, 256), await ReadAsync(volume));
        Assert.Equal(CrashedPool.Content(2, 256), await ReadAsync(pool.Pool.OpenSnapshot("disk", "second")!));
        await (await pool.Pool.DeleteSnapshotsAsync("disk", ["first", "second"]));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    Task<TestPool> CreateAsync() => TestPool.CreateAsync(wrap: below => device = new HookedDevice(below));

    Task WaitAsync()
    {
        begun.TrySetResult();
        return goOn.Task;
    }

    static async Task RefusedAsync(SnapshotProblem problem, Func<Task> action) =>
        Assert.Equal(problem, (await Assert.ThrowsAsync<SnapshotException>(action)).Problem);

    static async Task<byte[]> ReadAsync(IBlockDevice device)
    {
        var content = new byte[256 * 4096];
        await device.ReadAsync(Lba.Zero, content);
        return content;
    }
}
