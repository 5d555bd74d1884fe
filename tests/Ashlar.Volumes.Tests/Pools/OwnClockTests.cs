using Ashlar.Blocks;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>What a pool does by itself it does in time, whatever becomes of the .NET thread pool.</summary>
[Collection(nameof(OwnClockTests)), CollectionDefinition(nameof(OwnClockTests), DisableParallelization = true)]
public sealed class OwnClockTests
{
    [Fact]
    public async Task What_nobody_flushes_is_committed_in_time_while_the_thread_pool_is_blocked()
    {
        await using var pool = await TestPool.CreateAsync(options: new() { CommitInterval = TimeSpan.FromMilliseconds(20) });
        var volume = await pool.CreateVolumeAsync("disk", 16 << 20);
        using var blocked = new BlockedThreadPool(isFrozen: true);
        BlockedThreadPool.OnOwnThread(async () =>
        {
            var before = pool.Pool.GetStatistics().LeavesWritten;
            await volume.WriteAsync(Lba.Zero, new byte[4096]);
            SpinWait.SpinUntil(() => pool.Pool.GetStatistics().LeavesWritten > before);
        });
        Assert.False(blocked.HasRunMore, "Nothing was committed until the thread pool had a thread again.");
    }

    [Fact]
    public async Task A_writer_gets_the_space_of_a_deleted_volume_while_the_thread_pool_is_blocked()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 16, options: new());
        var old = await pool.CreateVolumeAsync("old", 1 << 20);
        var next = await pool.CreateVolumeAsync("next", 1 << 20);
        await old.WriteAsync(Lba.Zero, new byte[1 << 20]);
        await old.FlushAsync();
        using var blocked = new BlockedThreadPool(isFrozen: true);
        BlockedThreadPool.OnOwnThread(async () =>
        {
            await pool.Pool.DeleteVolumeAsync("old");
            await next.WriteAsync(Lba.Zero, new byte[1 << 20]);
        });
        Assert.False(blocked.HasRunMore, "The space did not come back until the thread pool had a thread again.");
    }
}
