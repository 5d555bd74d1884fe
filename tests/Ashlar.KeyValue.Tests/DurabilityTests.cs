using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

public sealed class DurabilityTests
{
    readonly SimulatedFileSystem disk = new();
    readonly SimulatedClock clock = new();

    KeyValueOptions Options(IFileSystem? other = null) =>
        TestStore.Small(other ?? disk) with { TimeProvider = clock, MemTableBytes = 1 << 20 };

    [Fact]
    public void A_sync_write_is_durable_when_it_returns()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options());
        store.Put("a", "1");
        Assert.Equal(1UL, store.DurableSequence);
        using var after = KeyValueStore.Open(TestStore.Directory, Options(disk.LosePower(1)));
        Assert.Equal("a=1", after.ReadAll());
    }

    [Fact]
    public async Task A_relaxed_write_is_readable_at_once_and_durable_within_the_stated_time()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options() with { RelaxedLossTime = TimeSpan.FromSeconds(2) });
        store.Put("a", "1", Durability.Relaxed);
        Assert.Equal("1", store.Get("a"));
        Assert.Equal(0UL, store.DurableSequence);
        var durable = store.WaitDurableAsync(store.VisibleSequence);
        Assert.False(durable.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        await durable.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1UL, store.DurableSequence);
        Assert.True(store.WaitDurableAsync(1).IsCompletedSuccessfully);
    }

    [Fact]
    public void A_relaxed_write_that_nobody_waits_for_is_durable_within_the_stated_time()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options() with { RelaxedLossTime = TimeSpan.FromSeconds(2) });
        for (var i = 1UL; i <= 3; i++) // Each time anew: a timer fires once.
        {
            store.Put($"{i}", "1", Durability.Relaxed);
            Assert.Equal(i - 1, store.DurableSequence);
            Assert.Equal(TimeSpan.FromSeconds(1), clock.UntilNextTimer);
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.True(SpinWait.SpinUntil(() => store.DurableSequence == i, TimeSpan.FromSeconds(30)), "it is never flushed");
        }

        using var after = KeyValueStore.Open(TestStore.Directory, Options(disk.LosePower(5)));
        Assert.Equal("1=1 2=1 3=1", after.ReadAll());
    }

    [Fact]
    public void A_timer_that_could_not_be_set_is_set_for_the_next_write()
    {
        var scarce = new ScarceClock(clock);
        var options = Options() with { TimeProvider = scarce, RelaxedLossTime = TimeSpan.FromSeconds(2) };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        scarce.HasTimers = false;
        Assert.Throws<InvalidOperationException>(() => store.Put("a", "1", Durability.Relaxed));
        scarce.HasTimers = true;
        store.Put("b", "1", Durability.Relaxed);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(SpinWait.SpinUntil(() => store.DurableSequence == 1, TimeSpan.FromSeconds(30)), "it is never flushed");
        Assert.Equal("b=1", store.ReadAll());
    }

    [Fact]
    public void Relaxed_writes_at_risk_never_exceed_the_stated_bytes()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options() with { RelaxedLossBytes = 1000 });
        for (var i = 0; i < 50; i++)
        {
            store.Put($"{i:d2}", new string('x', 100), Durability.Relaxed);
            // A group of one entry: head 72, entry head 16, key 2, value 100.
            Assert.True(store.VisibleSequence - store.DurableSequence <= 1000 / 190);
        }
    }

    [Fact]
    public async Task Sync_can_be_waited_for_without_a_thread()
    {
        using var ended = new ManualResetEventSlim();
        var store = KeyValueStore.Open(TestStore.Directory, Options());
        store.Put("a", "1"); // The log is there.
        for (var i = 0; i < 10; i++) store.Put($"{i}", "x", Durability.Relaxed);
        disk.DuringSync = _ => ended.Wait();
        var sync = store.SyncAsync().AsTask();
        Assert.False(sync.IsCompleted);
        disk.DuringSync = null;
        ended.Set();
        await sync;
        Assert.Equal(11UL, store.DurableSequence);
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await store.SyncAsync(new CancellationToken(canceled: true)));
        store.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.SyncAsync());
        using var reader = KeyValueStore.Open(TestStore.Directory, Options() with { ReadOnly = true });
        await Assert.ThrowsAsync<ReadOnlyStoreException>(async () => await reader.SyncAsync());
    }

    [Fact]
    public void Sync_makes_all_earlier_writes_durable()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options());
        for (var i = 0; i < 10; i++) store.Put($"{i}", "x", Durability.Relaxed);
        store.Sync();
        Assert.Equal(10UL, store.DurableSequence);
        var syncs = store.GetStatistics().Syncs;
        store.Sync();
        Assert.Equal(syncs, store.GetStatistics().Syncs);
        using var after = KeyValueStore.Open(TestStore.Directory, Options(disk.LosePower(3)));
        Assert.Equal(10, after.ReadAll().Split(' ').Length);
    }

    [Fact]
    public void Closing_makes_relaxed_writes_durable()
    {
        using (var store = KeyValueStore.Open(TestStore.Directory, Options())) store.Put("a", "1", Durability.Relaxed);
        using var after = KeyValueStore.Open(TestStore.Directory, Options(disk.LosePower(2)));
        Assert.Equal("a=1", after.ReadAll());
    }

    [Fact]
    public async Task A_failed_sync_refuses_all_later_writes_keeps_the_first_cause_and_lets_reads_go_on()
    {
        var faulty = new FaultyFileSystem(disk);
        using (var store = KeyValueStore.Open(TestStore.Directory, Options(faulty)))
        {
            store.Put("a", "1");
            faulty.Add(new FaultRule(FaultOperations.Sync, FaultKind.LostSync));
            store.Put("b", "1", Durability.Relaxed);
            var waiting = store.WaitDurableAsync(2);
            var first = Assert.Throws<StorePoisonedException>(() => store.Put("c", "1"));
            Assert.Equal("fdatasync", Assert.IsAssignableFrom<StorageException>(first.FirstCause).Operation);
            var second = Assert.Throws<StorePoisonedException>(() => store.Put("d", "1", Durability.Relaxed));
            Assert.Same(first.FirstCause, second.FirstCause);
            Assert.Throws<StorePoisonedException>(() => store.Sync());
            Assert.Throws<StorePoisonedException>(() => store.Flush());
            await Assert.ThrowsAsync<StorePoisonedException>(() => waiting);
            await Assert.ThrowsAsync<StorePoisonedException>(() => store.WriteAsync(new WriteBatch()).AsTask());
            Assert.Equal("a=1 b=1", store.ReadAll());
            Assert.Equal(1UL, store.DurableSequence);
        }

        using var reopened = KeyValueStore.Open(TestStore.Directory, Options());
        Assert.Equal("a=1", reopened.ReadAll());
        reopened.Put("c", "2");
    }

    [Fact]
    public void A_failed_write_of_the_log_poisons_and_what_it_wrote_counts_or_not_as_a_whole()
    {
        var faulty = new FaultyFileSystem(disk);
        using (var store = KeyValueStore.Open(TestStore.Directory, Options(faulty)))
        {
            store.Put("a", "1");
            faulty.Add(new FaultRule(FaultOperations.Write, FaultKind.ShortWrite));
            Assert.Throws<StorePoisonedException>(() => store.Put("b", new string('x', 3000)));
            Assert.Equal("a=1", store.ReadAll());
        }

        using var reopened = KeyValueStore.Open(TestStore.Directory, Options());
        Assert.Equal("a=1", reopened.ReadAll());
    }

    [Fact]
    public void A_full_disk_refuses_the_write_without_doubt_and_the_store_goes_on_once_there_is_space()
    {
        var small = new SimulatedFileSystem(isRecording: false) { CapacityBytes = 64 << 10 };
        using (var store = KeyValueStore.Open(TestStore.Directory, Options(small) with { SpaceReserveBytes = 8 << 10 }))
        {
            var written = 0;
            var full = Assert.Throws<StorageException>(() =>
            {
                for (; written < 1000; written++) store.Put($"{written:d4}", new string('x', 500));
            });
            Assert.Equal(StorageErrorKind.NoSpace, full.Kind);
            Assert.True(written > 50);
            Assert.Equal(written, store.ReadAll().Split(' ').Length);
            Assert.Equal((ulong)written, store.DurableSequence);
            small.CapacityBytes = 1 << 20;
            store.Put("more", "x");
            Assert.Equal((ulong)written + 1, store.DurableSequence);
        }

        using var reopened = KeyValueStore.Open(TestStore.Directory, Options(small) with { SpaceReserveBytes = 8 << 10 });
        Assert.Equal("x", reopened.Get("more"));
        Assert.True(reopened.Verify().IsClean);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void A_disk_too_full_for_tables_holds_writers_back_with_an_error_and_recovers(bool inline)
    {
        var small = new SimulatedFileSystem(isRecording: false) { CapacityBytes = 1 << 20 };
        var faulty = new FaultyFileSystem(
            small, new FaultRule(FaultOperations.Open, FaultKind.NoSpace) { PathPattern = "*table*", IsSticky = true });
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(faulty, inline) with { BlockCacheBytes = 1 << 20 });
        var written = 0;
        var full = Assert.Throws<StorageException>(() =>
        {
            for (; written < 1000; written++) store.Put($"{written:d4}", new string('x', 200));
        });
        Assert.Equal(StorageErrorKind.NoSpace, full.Kind);
        Assert.Equal(written, store.ReadAll().Split(' ').Length);
        faulty.Heal();
        store.Put("more", "x");
        store.Flush();
        Assert.Equal(written + 1, store.ReadAll().Split(' ').Length);
        Assert.Empty(store.Verify().Problems);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void A_flush_that_failed_is_tried_again_whenever_one_asks_for_it(bool inline)
    {
        var faulty = new FaultyFileSystem(
            disk, new FaultRule(FaultOperations.Open, FaultKind.NoSpace) { PathPattern = "*table*", IsSticky = true });
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(faulty, inline));
        store.Put("a", "1");
        for (var i = 0; i < 3; i++) Assert.Equal(StorageErrorKind.NoSpace, Assert.Throws<StorageException>(store.Flush).Kind);
        faulty.Heal();
        store.Flush();
        Assert.Equal(1, store.GetStatistics().Flushes);
        Assert.Equal("1", store.Get("a"));
    }

    [Fact]
    public void Damage_that_compaction_meets_is_reported_and_nothing_is_lost()
    {
        var image = new SimulatedFileSystem(isRecording: false);
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(image)))
        {
            for (var i = 0; i < 20; i++) store.Put($"{i:d2}", "x");
            store.Flush();
        }

        var files = StoreImage.Take(image);
        files.Files[files.Only("table-")][5] ^= 1;
        var damaged = files.ToDisk();
        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(damaged));
        reopened.Put("new", "x");
        Assert.Throws<CorruptDataException>(() => reopened.Compact());
        Assert.Throws<CorruptDataException>(() => reopened.Get("07"));
        Assert.Equal("x", reopened.Get("new"));
        reopened.Put("newer", "x");
        Assert.False(reopened.Verify().IsClean);
        Assert.Contains(files.Only("table-"), damaged.List(TestStore.Directory));
    }

    // Timers need memory and a thread, and there may be none.
    sealed class ScarceClock(TimeProvider inner) : TimeProvider
    {
        public bool HasTimers { get; set; } = true;

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new ScarceTimer(this, inner.CreateTimer(callback, state, dueTime, period));

        sealed class ScarceTimer(ScarceClock clock, ITimer timer) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) =>
                clock.HasTimers ? timer.Change(dueTime, period) : throw new InvalidOperationException("There is none.");

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }
}
