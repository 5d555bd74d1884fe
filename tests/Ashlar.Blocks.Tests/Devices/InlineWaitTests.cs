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
    public async Task Cold_reads_and_short_flushes_need_no_other_thread()
    {
        await device.FlushAsync(); // What an earlier life left may take long.
        file.MediumThreads.Clear();
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
        Assert.Equal(3, file.Syncs);
        Assert.All(file.MediumThreads, name => Assert.NotEqual("ashlar-flush", name));
        Assert.Equal(3, file.MediumThreads.Count);
    }

    [Fact]
    public async Task What_may_take_long_is_left_to_another_thread()
    {
        Assert.False(device.IsFlushShort);
        await device.FlushAsync();
        Assert.True(device.IsFlushShort);
        await device.WriteAsync(Lba.Zero, new byte[64 * BlockSize]);
        Assert.True(device.IsFlushShort);
        for (var i = 0; i < 4; i++) await device.WriteAsync(Lba.Zero, new byte[64 * BlockSize]);
        Assert.False(device.IsFlushShort);
        var waits = InlineWaits.Count;
        Task flush;
        using (InlineWaits.Allow()) flush = device.FlushAsync().AsTask();
        Assert.Equal(waits, InlineWaits.Count);
        await flush;
    }

    [Fact]
    public async Task Who_waits_in_any_case_needs_no_other_thread_however_long_it_takes()
    {
        for (var i = 0; i < 5; i++) await device.WriteAsync(Lba.Zero, new byte[64 * BlockSize]);
        Assert.False(device.IsFlushShort);
        using (InlineWaits.Expect()) Assert.True(device.FlushAsync().AsTask().IsCompletedSuccessfully);
        Assert.DoesNotContain("ashlar-flush", file.MediumThreads);
        Assert.False(InlineWaits.AreCertain || InlineWaits.AreAllowed);
    }

    [Fact]
    public async Task Failures_are_those_of_any_other_caller()
    {
        await device.FlushAsync();
        await device.WriteAsync(Lba.Zero, new byte[BlockSize]);
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
        Assert.Equal(2, file.Syncs);
    }

    // Whoever comes while a caller flushes on its own thread gets the next flush, which another thread begins.
    [Fact]
    public async Task Others_who_come_meanwhile_share_a_flush_of_their_own()
    {
        await device.FlushAsync();
        await file.SyncBegun.WaitAsync();
        await device.WriteAsync(Lba.Zero, new byte[BlockSize]);
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
        Assert.Equal(3, file.Syncs);
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
