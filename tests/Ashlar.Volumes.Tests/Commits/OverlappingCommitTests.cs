using Ashlar.Blocks;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// What is written and discarded while a commit runs: after a crash right behind the commit it is old or new, and never taken for damage.
/// </summary>
public sealed class OverlappingCommitTests
{
    HookedDevice hooks = null!;

    // The commit is between its capture of the leaf and the end of its flush: what the store will hold speaks of the first version.
    [Fact]
    public async Task A_block_that_is_overwritten_during_the_first_commit_of_it_is_no_damage_after_a_crash()
    {
        var crashed = await CreateAsync();
        await crashed.WriteAsync(3, 1);
        DuringNextFlush(() => crashed.WriteAsync(3, 2));
        await crashed.Volume.FlushAsync();
        await RequireAfterKillAsync(crashed, block: 3, 1, 2);
    }

    [Fact]
    public async Task A_block_that_is_discarded_during_a_commit_and_written_after_it_is_no_damage_after_a_crash()
    {
        var crashed = await CreateAsync();
        await crashed.WriteAsync(2, 9); // Keeps the chunk.
        await crashed.WriteAsync(3, 1);
        DuringNextFlush(() => crashed.Volume.TrimAsync(new Lba(3), 1).AsTask());
        await crashed.Volume.FlushAsync();
        await crashed.WriteAsync(3, 2);
        await RequireAfterKillAsync(crashed, block: 3, 1, 2);
    }

    [Fact]
    public async Task A_commit_waits_for_a_write_that_is_under_way_in_a_MiB_that_it_captures()
    {
        var crashed = await CreateAsync();
        await crashed.WriteAsync(3, 1); // Not committed yet: overwriting it needs no marker.
        Task? flushing = null;
        var isOver = false;
        hooks.AfterWrite = async _ =>
        {
            hooks.AfterWrite = _ => Task.CompletedTask;
            flushing = Task.Run(() => crashed.Volume.FlushAsync().AsTask());
            var leaf = ((VolumeDevice)crashed.Volume).Leaves.Find(0)!;
            await Waiting.UntilAsync(() => leaf.WriteLock.HasWaiters || flushing.IsCompleted, "the flush neither waits nor ends");
            isOver = flushing.IsCompleted;
            crashed.Kill();
        };
        await Record.ExceptionAsync(() => crashed.WriteAsync(3, 2));
        await Record.ExceptionAsync(() => flushing!);
        Assert.False(isOver, "the commit did not wait");
        await RequireAfterKillAsync(crashed, block: 3, 0, 1, 2);
    }

    // Of two writes of one leaf the first is done when the commit captures it, the second when it flushes the device.
    [Fact]
    public async Task What_was_committed_is_all_of_what_a_flush_covers_though_more_is_written_meanwhile()
    {
        var crashed = await CreateAsync();
        await crashed.WriteAsync(3, 1);
        DuringNextFlush(() => crashed.WriteAsync(4, 2));
        await crashed.Volume.FlushAsync();
        await crashed.Volume.FlushAsync();
        await RequireAfterKillAsync(crashed, block: 3, 1);
        await RequireAfterKillAsync(crashed, block: 4, 2);
    }

    async Task<CrashedPool> CreateAsync() => await CrashedPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));

    void DuringNextFlush(Func<Task> action) => hooks.BeforeFlush = async () =>
    {
        hooks.BeforeFlush = () => Task.CompletedTask;
        await action();
    };

    // By content numbers; 0 is zeros.
    static async Task RequireAfterKillAsync(CrashedPool crashed, int block, params int[] possible)
    {
        crashed.Kill();
        await using var pool = await TestPool.OpenAsync(crashed.Disk, TestPool.DefaultOptions(2));
        var found = await CrashedPool.ReadAsync(pool.Pool.OpenVolume("disk")!, block);
        Assert.Contains(possible, content => found.AsSpan().SequenceEqual(content == 0 ? new byte[4096] : CrashedPool.Content(content)));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }
}
