using Ashlar.Blocks.Devices;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>A device goes on whatever becomes of the .NET thread pool, which others in the process may block.</summary>
public sealed class OwnThreadsTests
{
    const int BlockSize = 4096;
    const int LargeBlocks = 2048; // Zeroing so much leaves the caller's thread.

    readonly ScriptedFile file = new(LargeBlocks * BlockSize);
    readonly FileDevice device;

    public OwnThreadsTests() => device = new FileDevice(file);

    [Fact]
    public void With_every_thread_of_the_pool_blocked_reads_writes_flushes_and_zeroing_complete()
    {
        file.IsCached = false;
        using var blocked = new BlockedThreadPool();
        BlockedThreadPool.OnOwnThread(WorkAsync);
        Assert.False(blocked.HasRunMore, "Something waited until the thread pool had a thread again.");
    }

    [Fact]
    public async Task A_flush_waits_for_no_cold_read()
    {
        file.IsCached = false;
        file.Medium.Reset();
        var reads = Enumerable.Range(0, 200).Select(block => device.ReadAsync(new Lba(block), new byte[BlockSize]).AsTask()).ToList();
        var flush = device.FlushAsync().AsTask();
        await file.SyncBegun.WaitAsync(); // However many reads wait.
        file.Medium.Set();
        await flush;
        await Task.WhenAll(reads);
        Assert.All(file.MediumThreads, name => Assert.Contains(name, new[] { "ashlar-disk", "ashlar-flush" }));
    }

    [Fact]
    public void Cold_reads_reach_the_disk_at_the_depth_that_clients_ask_for()
    {
        file.IsCached = false;
        file.Medium.Reset();
        var reads = Enumerable.Range(0, 48).Select(block => device.ReadAsync(new Lba(block), new byte[BlockSize]).AsTask()).ToArray();
        SpinWait.SpinUntil(() => file.MediumThreads.Count == 48);
        file.Medium.Set();
        Task.WaitAll(reads);
    }

    // A caller that blocks after its flush must not hold up the next one, nor another caller of the same flush.
    [Fact]
    public void Callers_that_block_after_a_flush_hold_nobody_up()
    {
        file.Medium.Reset();
        using var release = new ManualResetEventSlim();
        var blockers = Enumerable.Range(0, 8).Select(_ => BlockAfterFlushAsync()).ToList();
        file.SyncBegun.Wait();
        file.Medium.Set();
        for (var i = 0; i < 10; i++)
        {
            device.WriteAsync(Lba.Zero, new byte[BlockSize]).AsTask().Wait();
            device.FlushAsync().AsTask().Wait();
        }

        Assert.All(blockers, blocker => Assert.False(blocker.IsCompleted));
        release.Set();
        Task.WaitAll(blockers);

        async Task BlockAfterFlushAsync()
        {
            await device.FlushAsync().ConfigureAwait(false);
            release.Wait();
        }
    }

    async Task WorkAsync()
    {
        var buffer = new byte[BlockSize];
        for (var i = 0; i < 100; i++)
        {
            await device.WriteAsync(new Lba(i), buffer);
            await device.ReadAsync(new Lba(i), buffer);
            await device.FlushAsync();
            await device.WriteAsync(new Lba(i), buffer, WriteOptions.ForceUnitAccess);
        }

        await device.WriteZeroesAsync(Lba.Zero, LargeBlocks, ZeroOptions.ForceUnitAccess);
        await device.TrimAsync(Lba.Zero, LargeBlocks);
        await device.ReserveAsync(Lba.Zero, LargeBlocks);
    }
}
