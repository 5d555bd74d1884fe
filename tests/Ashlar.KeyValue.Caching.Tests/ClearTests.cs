using Ashlar.KeyValue.Caching.Entries;
using Ashlar.KeyValue.Caching.Eviction;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Caching.Tests;

/// <summary>All entries of a cache go at once.</summary>
public sealed class ClearTests
{
    const int Bound = 40_000;

    static readonly string Payload = new('x', 900);

    [Theory, InlineData(false, null), InlineData(true, null), InlineData(false, Bound), InlineData(true, Bound)]
    public async Task Every_entry_is_gone_and_other_data_is_not(bool isAsynchronous, int? bound)
    {
        using var test = new TestCache(options => options.MaxBytes = bound);
        using var other = new KeyValueCache(test.Store, new() { TimeProvider = test.Clock, KeyPrefix = "cache/other", MaxBytes = Bound });
        other.Set("key", [1], new());
        test.Store.Put("cache"u8, "other data"u8);
        test.Set("stays", "1");
        test.Set("ends", "2", TestCache.For(TimeSpan.FromMinutes(1)));
        test.Set("slides", "3", TestCache.Sliding(TimeSpan.FromMinutes(1)));
        test.Set(new string('k', 1000), "4");
        test.Store.Flush();
        await Clear();
        Assert.Equal(0, test.CountEntries());
        foreach (var key in (string[])["stays", "ends", "slides", new string('k', 1000)]) Assert.Null(test.Get(key));
        Assert.Equal(bound is null ? null : 0L, test.Cache.GetStatistics().UsedBytes);
        Assert.Equal([1], other.Get("key")!);
        Assert.Equal("other data"u8, test.Store.Get("cache"u8)!);
        test.Set("stays", "5");
        await Clear();
        await Clear();
        test.Set("new", "6");
        test.Close();
        test.Open();
        Assert.Equal("6", test.Get("new"));
        Assert.Equal(1, test.CountEntries());
        if (bound is not null) test.RequireQueueIsExact();

        Task Clear()
        {
            if (isAsynchronous) return test.Cache.ClearAsync();
            test.Cache.Clear();
            return Task.CompletedTask;
        }
    }

    [Fact]
    public void A_cache_that_was_full_has_its_whole_bound_again()
    {
        using var test = new TestCache(options => options.MaxBytes = Bound);
        for (var i = 0; i < 100; i++) test.Set($"{i}", Payload);
        var evictions = test.Cache.GetStatistics().Evictions;
        test.Cache.Clear();
        for (var i = 0; i < 35; i++) test.Set($"{i}", Payload);
        Assert.Equal(35, test.CountEntries());
        Assert.Equal(evictions, test.Cache.GetStatistics().Evictions);
        test.RequireQueueIsExact();
    }

    [Fact]
    public async Task What_was_being_counted_when_it_was_removed_does_not_count()
    {
        Thread? caller = null;
        using var isForgotten = new ManualResetEventSlim();
        var disk = new FaultyFileSystem(new SimulatedFileSystem(isRecording: false))
        {
            // What is counted lies on a disk that takes its time.
            BeforeOperation = (operation, _) =>
            {
                if (operation == FaultOperations.Read && caller is not null && Thread.CurrentThread != caller) isForgotten.Wait();
            },
        };
        using var test = new TestCache(options => options.MaxBytes = 1 << 20, disk);
        for (var i = 0; i < 10; i++) test.Set($"{i}", Payload);
        test.Store.Flush();
        EvictionQueue? queue = null;
        BlockedThreadPool.OnOwnThread(() =>
        {
            caller = Thread.CurrentThread;
            queue = new EvictionQueue(test.Store, new CacheKeys("cache/"), new KeyStripes(), Bound);
            test.Cache.Clear();
            Assert.Null(queue.UsedBytes);
            queue.Forget();
            return Task.CompletedTask;
        });
        isForgotten.Set();
        await queue!.Counting;
        Assert.Equal(0, queue.UsedBytes);
        queue.Dispose();
    }

    [Fact]
    public async Task Whoever_sets_meanwhile_comes_before_or_after()
    {
        using var test = new TestCache(options => options.MaxBytes = Bound);
        var isOver = false;
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; !Volatile.Read(ref isOver); i++)
            {
                var key = $"{writer % 2} {i % 50}";
                if (writer < 2) await test.Cache.SetAsync(key, new byte[i % 500], TestCache.Sliding(TimeSpan.FromHours(1)));
                else if (i % 3 == 0) test.Cache.Remove(key);
                else test.Set(key, Payload);
            }
        })).ToArray();
        for (var i = 0; i < TestTier.Choose(30, 1000); i++)
        {
            if (i % 2 == 0) test.Cache.Clear();
            else await test.Cache.ClearAsync();
        }

        Volatile.Write(ref isOver, true);
        await Task.WhenAll(writers);
        await test.Cache.Evicting;
        test.RequireQueueIsExact();
        test.Cache.Clear();
        Assert.Equal(0, test.Cache.GetStatistics().UsedBytes);
        test.RequireQueueIsExact();
    }

    [Fact]
    public async Task One_that_is_cancelled_while_another_writes_removes_nothing_and_holds_nobody_up()
    {
        using var test = new TestCache();
        test.Set("key", "value");
        var stripes = new KeyStripes();
        var stripe = stripes.Of("cache/\u0001key"u8);
        await stripe.WaitAsync();
        using var cancellation = new CancellationTokenSource();
        var entering = stripes.EnterAllAsync(cancellation.Token);
        Assert.False(entering.IsCompleted);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => entering);
        stripe.Release();
        stripes.EnterAll();
        stripes.ExitAll();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => test.Cache.ClearAsync(new CancellationToken(canceled: true)));
        Assert.Equal("value", test.Get("key"));
        test.Cache.Clear();
        Assert.Null(test.Get("key"));
    }
}
