using Ashlar.Blocks.Devices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>A caller that may wait for the disk does so on its own thread.</summary>
public sealed class InlineWaitTests
{
    const int BlockSize = 4096;

    readonly ScriptedFile file = new(64 * BlockSize);
    readonly FileDevice device;

    public InlineWaitTests() => device = new FileDevice(file);

    [Fact]
    public void Cold_reads_and_flushes_need_no_other_thread()
    {
        file.IsCached = false;
        var waits = InlineWaits.Count;
        using (InlineWaits.Allow())
        {
            Assert.True(device.ReadAsync(Lba.Zero, new byte[BlockSize]).AsTask().IsCompletedSuccessfully);
            Assert.True(device.WriteAsync(Lba.Zero, new byte[BlockSize]).AsTask().IsCompletedSuccessfully);
            Assert.True(device.FlushAsync().AsTask().IsCompletedSuccessfully);
            Assert.True(device.WriteAsync(Lba.Zero, new byte[BlockSize], WriteOptions.ForceUnitAccess).AsTask().IsCompletedSuccessfully);
        }

        Assert.Equal(3, InlineWaits.Count - waits);
        Assert.Equal(2, file.Syncs);
        Assert.All(file.MediumThreads, name => Assert.Equal(Thread.CurrentThread.Name, name));
    }

    [Fact]
    public async Task Failures_are_those_of_any_other_caller()
    {
        file.IsCached = false;
        file.ReadFailure = ScriptedFile.Failure("pread", StorageErrorKind.InputOutput);
        file.SyncFailure = ScriptedFile.Failure("fdatasync", StorageErrorKind.InputOutput);
        using (InlineWaits.Allow())
        {
            Assert.IsType<DeviceIOException>(device.ReadAsync(Lba.Zero, new byte[BlockSize]).AsTask().Exception?.InnerException);
            Assert.IsType<DeviceIOException>(device.FlushAsync().AsTask().Exception?.InnerException);
        }

        var latched = await Assert.ThrowsAsync<DeviceIOException>(async () => await device.FlushAsync());
        Assert.Contains("a flush has failed", latched.Message, StringComparison.Ordinal);
        Assert.Equal(1, file.Syncs);
    }

    // Whoever comes while a caller flushes on its own thread gets the next flush, which another thread begins.
    [Fact]
    public async Task Others_who_come_meanwhile_share_a_flush_of_their_own()
    {
        file.Medium.Reset();
        var first = new Thread(() =>
        {
            using (InlineWaits.Allow()) device.FlushAsync().AsTask().Wait();
        });
        first.Start();
        await file.SyncBegun.WaitAsync();
        await device.WriteAsync(Lba.Zero, new byte[BlockSize]);
        var others = Enumerable.Range(0, 10).Select(_ => device.FlushAsync().AsTask()).ToList();
        Assert.All(others, other => Assert.False(other.IsCompleted));
        file.Medium.Set();
        await Task.WhenAll(others);
        first.Join();
        Assert.Equal(2, file.Syncs);
    }

    // One that may wait joins a flush that runs, as any other does, and waits on its own account.
    [Fact]
    public async Task One_that_finds_a_flush_running_shares_the_next()
    {
        file.Medium.Reset();
        var running = device.FlushAsync().AsTask();
        await file.SyncBegun.WaitAsync();
        await device.WriteAsync(Lba.Zero, new byte[BlockSize]);
        Task next;
        using (InlineWaits.Allow()) next = device.FlushAsync().AsTask();
        Assert.False(next.IsCompleted);
        file.Medium.Set();
        await Task.WhenAll(running, next);
        Assert.Equal(2, file.Syncs);
    }
}
