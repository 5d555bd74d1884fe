using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>Many writes outstanding from few threads, and writes that cost no garbage.</summary>
[Trait("disk", "any")]
public sealed class AsyncWriteTests
{
    static KeyValueOptions Options(IFileSystem? disk = null) =>
        TestStore.Small(disk ?? TestStore.AnyDisk(), inline: false) with
        {
            TimeProvider = TimeProvider.System,
            MemTableBytes = 64 << 20,
            LogChunkBytes = 1 << 20,
        };

    [Fact]
    public async Task Puts_and_deletes_outstanding_from_one_thread_take_effect_in_their_order()
    {
        var disk = TestStore.NewDisk();
        using var store = KeyValueStore.Open(TestStore.Directory, Options(disk));
        using var all = new ManualResetEventSlim();
        disk.DuringSync = _ => all.Wait();
        var writes = new List<Task>();
        var key = new byte[4];
        for (var i = 0; i < 1000; i++)
        {
            BitConverter.TryWriteBytes(key, i % 10);
            // Key and value are copied: the buffer is used again at once.
            writes.Add(i % 100 < 90 ? store.PutAsync(key, BitConverter.GetBytes(i)).AsTask() : store.DeleteAsync(key).AsTask());
        }

        disk.DuringSync = null;
        all.Set(); // All are outstanding: no flush has ended yet.
        await Task.WhenAll(writes);
        Assert.Equal(1000UL, store.DurableSequence);
        Assert.Equal("", store.ReadAll());
        Assert.True(store.GetStatistics().Syncs < 1000);
    }

    [Fact]
    public async Task Callers_that_block_in_their_continuations_hold_up_nobody()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options());
        var rounds = 0;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                var other = store.PutAsync(TestStore.Bytes($"{writer} other"), "x"u8).AsTask();
                await store.PutAsync(TestStore.Bytes($"{writer} {i}"), "x"u8);
#pragma warning disable xUnit1031 // Blocking is the point.
                other.Wait();
#pragma warning restore xUnit1031
                store.Put(TestStore.Bytes($"{writer} blocking"), "x"u8);
                Interlocked.Increment(ref rounds);
            }
        })));
        Assert.Equal(1600, rounds);
        Assert.Equal(4800UL, store.DurableSequence);
    }

    [Fact]
    public async Task A_caller_may_block_in_its_continuation_on_a_later_write_of_the_same_flush()
    {
        var disk = TestStore.NewDisk();
        using var store = KeyValueStore.Open(TestStore.Directory, Options(disk));
        using var all = new ManualResetEventSlim();
        disk.DuringSync = _ => all.Wait();
        var lead = store.PutAsync("lead"u8, "x"u8).AsTask();
        var second = new TaskCompletionSource<Task>();
        var first = BlockAsync();
        second.SetResult(store.PutAsync("second"u8, "x"u8).AsTask());
        disk.DuringSync = null;
        all.Set();
        await Task.WhenAll(lead, first);

        async Task BlockAsync()
        {
            await store.PutAsync("first"u8, "x"u8).ConfigureAwait(false);
#pragma warning disable xUnit1031 // Blocking is the point.
            second.Task.Result.Wait();
#pragma warning restore xUnit1031
        }
    }

    [Fact]
    public async Task A_write_can_be_cancelled_until_a_leader_has_taken_it()
    {
        var disk = new SimulatedFileSystem();
        using var store = KeyValueStore.Open(TestStore.Directory, Options(disk) with { MaxInFlightSyncs = 1 });
        store.Put("base", "0");
        using var began = new SemaphoreSlim(0);
        using var mayReturn = new SemaphoreSlim(0);
        disk.DuringSync = _ =>
        {
            began.Release();
            mayReturn.Wait();
        };
        using var cancellation = new CancellationTokenSource();
        var taken = store.PutAsync("taken"u8, "1"u8, cancellationToken: cancellation.Token).AsTask();
        await began.WaitAsync();
        var queued = store.PutAsync("queued"u8, "1"u8, cancellationToken: cancellation.Token).AsTask();
        var kept = store.PutAsync("kept"u8, "1"u8).AsTask();
        await cancellation.CancelAsync();
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        Assert.Equal(cancellation.Token, cancelled.CancellationToken);
        Assert.False(taken.IsCompleted);
        disk.DuringSync = null;
        mayReturn.Release();
        await taken;
        await kept;
        Assert.Equal("base=0 kept=1 taken=1", store.ReadAll());
        Assert.Equal(3UL, store.VisibleSequence);
    }

    [Fact]
    public async Task A_closed_store_refuses_and_what_was_outstanding_completes_or_is_refused()
    {
        var disk = TestStore.NewDisk();
        var store = KeyValueStore.Open(TestStore.Directory, Options(disk));
        var writes = new List<Task>();
        using var closing = new ManualResetEventSlim();
        var writer = Task.Run(() =>
        {
            try
            {
                for (var i = 0; ; i++)
                {
                    lock (writes) writes.Add(store.PutAsync(TestStore.Bytes($"{i:d6}"), "x"u8).AsTask());
                    if (i == 500) closing.Set();
                }
            }
            catch (ObjectDisposedException)
            {
            }
        });
        closing.Wait();
        await store.DisposeAsync();
        await writer;
        var done = 0;
        foreach (var write in writes)
        {
            if (await Record.ExceptionAsync(() => write) is not { } refused) done++;
            else Assert.IsType<ObjectDisposedException>(refused);
        }

        using var reopened = KeyValueStore.Open(TestStore.Directory, Options(disk));
        for (var i = 0; i < done; i++) Assert.Equal("x", reopened.Get($"{i:d6}"));
        Assert.Null(reopened.Get($"{done:d6}"));
    }

    [Theory, InlineData(Durability.Sync), InlineData(Durability.Relaxed), InlineData(Durability.Unflushed)]
    public void A_put_makes_no_garbage(Durability durability)
    {
        // The simulated disk makes garbage of its own.
        using var directory = new TemporaryDirectory();
        using var store = KeyValueStore.Open(
            directory["store"], new KeyValueOptions { FileSystem = RealDisk.Door, RelaxedLossTime = TimeSpan.FromHours(1) });
        var (key, value) = (new byte[16], new byte[100]);
        for (var i = 0; i < 2000; i++) store.Put(key, value, durability);
        Assert.Equal(0, AllocationMeter.LeastBytes(() =>
        {
            GC.Collect(); // What is only cached until then costs again; else that would show where puts are slow alone.
            for (var i = 0; i < 50; i++) store.Put(key, value, durability);
        }));
    }

    [Fact]
    public void An_asynchronous_put_makes_no_garbage_for_its_caller()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options());
        var (key, value) = (new byte[16], new byte[100]);
        var outstanding = new ValueTask[20];
        for (var i = 0; i < 50; i++) Round();
        Assert.Equal(0, AllocationMeter.LeastBytes(Round));

        void Round()
        {
#pragma warning disable CA2012 // Each is consumed once, below; tasks would be the garbage.
            for (var i = 0; i < outstanding.Length; i++) outstanding[i] = store.PutAsync(key, value);
#pragma warning restore CA2012
            foreach (var write in outstanding)
            {
                var spin = new SpinWait();
                while (!write.IsCompleted) spin.SpinOnce();
                write.GetAwaiter().GetResult();
            }
        }
    }

    [Fact]
    public async Task An_unflushed_write_is_readable_at_once_and_durable_with_whatever_is_flushed_after_it()
    {
        var disk = new SimulatedFileSystem();
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { MemTableBytes = 1 << 20 });
        store.Put("a", "1", Durability.Unflushed);
        Assert.Equal("1", store.Get("a"));
        Assert.Equal(0UL, store.DurableSequence);
        Assert.Equal(0, store.GetStatistics().Syncs);
        var durable = store.WaitDurableAsync(1);
        Assert.False(durable.IsCompleted);
        store.Put("b", "1");
        await durable;
        Assert.Equal(2UL, store.DurableSequence);
        using var after = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk.LosePower(4)));
        Assert.Equal("a=1 b=1", after.ReadAll());
    }

    [Fact]
    public async Task A_task_that_is_consumed_twice_harms_nobody_else()
    {
        var disk = TestStore.NewDisk();
        using var store = KeyValueStore.Open(TestStore.Directory, Options(disk) with { MaxInFlightSyncs = 1 });
#pragma warning disable CA2012 // Consuming it twice is the point.
        var first = store.PutAsync("first"u8, "1"u8);
        SpinWait.SpinUntil(() => first.IsCompleted);
        first.GetAwaiter().GetResult();
        using var mayReturn = new ManualResetEventSlim();
        using var began = new SemaphoreSlim(0);
        disk.DuringSync = _ =>
        {
            began.Release();
            mayReturn.Wait();
        };
        var blocking = store.PutAsync("blocking"u8, "1"u8).AsTask();
        await began.WaitAsync();
        // One of these has the pooled object of the first.
        var others = Enumerable.Range(0, 4).Select(i => store.PutAsync(TestStore.Bytes($"other {i}"), "1"u8)).ToArray();
        Assert.Throws<InvalidOperationException>(() => first.GetAwaiter().GetResult());
        Assert.Throws<InvalidOperationException>(() => first.GetAwaiter().GetResult());
        Assert.Throws<InvalidOperationException>(() => others[0].GetAwaiter().GetResult()); // Not done yet.
        var more = store.PutAsync("more"u8, "1"u8).AsTask();
        disk.DuringSync = null;
        mayReturn.Set();
        await Task.WhenAll(others.Select(other => other.AsTask()));
#pragma warning restore CA2012
        await Task.WhenAll(blocking, more);
        Assert.Equal("blocking=1 first=1 more=1 other 0=1 other 1=1 other 2=1 other 3=1", store.ReadAll());
    }

    [Fact]
    public async Task Waiting_for_durability_can_be_cancelled()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.AnyDisk()));
        using var cancellation = new CancellationTokenSource();
        store.Put("a", "1", Durability.Unflushed);
        var durable = store.WaitDurableAsync(1, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => durable);
        store.Sync();
        await store.WaitDurableAsync(1);
    }

    [Fact]
    public async Task A_flush_that_fails_is_told_to_whoever_only_waits_for_it()
    {
        var disk = TestStore.NewDisk();
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        store.Put("a", "1", Durability.Unflushed);
        disk.DuringSync = path => throw StorageException.FromErrno("fdatasync", path, Errno.InputOutput, "planted fault");
        await Assert.ThrowsAsync<StorePoisonedException>(() => Task.Run(store.Sync));
        await Assert.ThrowsAsync<StorePoisonedException>(() => store.WaitDurableAsync(1));
        disk.DuringSync = null;
        Assert.Equal(0UL, store.DurableSequence);
    }
}
