using Ashlar.KeyValue.Caching.Entries;
using Ashlar.KeyValue.Caching.Eviction;
using Ashlar.Simulation;
using Microsoft.Extensions.Caching.Distributed;

namespace Ashlar.KeyValue.Caching.Tests;

public sealed class EvictionTests
{
    const int Bound = 40_000;

    static readonly string Payload = new('x', 900);

    [Fact]
    public void A_cache_stays_within_its_bound()
    {
        using var test = Bounded();
        for (var i = 0; i < 500; i++)
        {
            test.Set($"{i:d4}", Payload, TestCache.For(TimeSpan.FromHours(1)));
            Assert.True(test.Cache.GetStatistics().UsedBytes <= Bound);
        }

        test.RequireQueueIsExact();
        Assert.Equal(500 - test.CountEntries(), test.Cache.GetStatistics().Evictions);
        Assert.InRange(test.CountEntries(), 35, 41);
        Assert.Null(test.Cache.GetStatistics().LastEvictionFailure);
    }

    [Fact]
    public async Task So_does_one_that_many_write_to_at_once()
    {
        using var test = Bounded();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < TestTier.Choose(100, 5000); i++)
            {
                await test.Cache.SetAsync($"{(writer * i) % 97}", new byte[100 + ((writer * 37 * i) % 1500)], new());
                if (i % 7 == 0) await test.Cache.RemoveAsync($"{i % 97}");
            }
        })));
        await test.Cache.Evicting;
        Assert.True(test.Cache.GetStatistics().UsedBytes <= Bound);
        test.RequireQueueIsExact();
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_set_evicts_its_share_and_waits_for_nobody_who_evicts_more_and_closing_ends_that(bool isClosed)
    {
        using var test = Bounded();
        test.Close();
        test.Open(options => options.MaxBytes = 1 << 20);
        for (var i = 0; i < 500; i++) test.Set($"{i:d3}", Payload);
        var keys = new CacheKeys("cache/");
        var stripes = new KeyStripes();
        var stripe = stripes.Of("cache/\u0001000"u8); // A long set of the first key that goes: whoever evicts waits for it.
        await stripe.WaitAsync();
        var queue = new EvictionQueue(test.Store, keys, stripes, Bound);
        await TestKit.Waiting.UntilAsync(() => queue.UsedBytes is not null, "what is there is counted");
        var before = queue.UsedBytes!.Value;
        queue.Keep(addedBytes: 100_000);
        Assert.InRange(before - queue.UsedBytes!.Value, 200_000, 202_000);
        queue.Keep(addedBytes: 1);
        Assert.InRange(queue.Evictions, 64, 300);
        Assert.NotNull(test.Get("000"));
        if (isClosed)
        {
            var evicted = queue.Evictions;
            var closing = Task.Run(queue.Dispose);
            await TestKit.Waiting.UntilAsync(() => queue.IsClosing, "the queue is to be closed");
            stripe.Release();
            await closing;
            Assert.InRange(queue.Evictions, evicted, evicted + 2);
        }
        else
        {
            stripe.Release();
            await queue.Counting;
            await queue.Evicting;
            Assert.InRange(queue.UsedBytes!.Value, 1, Bound);
            Assert.Null(test.Get("000"));
            queue.Dispose();
        }
    }

    [Fact]
    public void What_had_expired_when_a_bound_was_set_and_is_back_with_the_clock_can_be_set_renewed_and_removed()
    {
        using var test = new TestCache();
        for (var i = 0; i < 10; i++) test.Set($"{i}", Payload, TestCache.Sliding(TimeSpan.FromMinutes(1)));
        test.Clock.Advance(TimeSpan.FromMinutes(2));
        test.Close();
        test.Open(options => options.MaxBytes = Bound);
        test.Clock.JumpWallClock(-TimeSpan.FromMinutes(2) + TimeSpan.FromSeconds(30));
        Assert.Equal(0, test.Cache.GetStatistics().UsedBytes);
        Assert.Equal(10, test.CountEntries());
        test.Set("0", "1");
        Assert.True(test.Cache.GetStatistics().UsedBytes > 0);
        for (var i = 1; i < 5; i++) test.Cache.Refresh($"{i}");
        for (var i = 5; i < 10; i++) test.Cache.Remove($"{i}");
        Assert.Equal(5, test.CountEntries());
        test.RequireQueueIsExact();
    }

    [Fact]
    public void What_is_set_under_a_clock_that_was_set_back_is_not_evicted_before_what_was_there()
    {
        using var test = Bounded();
        for (var i = 0; i < 30; i++) test.Set($"old {i:d2}", Payload);
        test.Close();
        test.Clock.JumpWallClock(DateTimeOffset.UnixEpoch - test.Clock.GetUtcNow());
        test.Open();
        for (var i = 0; i < 30; i++) test.Set($"new {i:d2}", Payload);
        for (var i = 0; i < 30; i++) Assert.NotNull(test.Get($"new {i:d2}"));
        Assert.Null(test.Get("old 00"));
        test.RequireQueueIsExact();
    }

    [Fact]
    public void What_expires_first_goes_first_and_what_never_expires_goes_last_in_the_order_of_writing()
    {
        using var test = Bounded();
        for (var i = 0; i < 10; i++) test.Set($"never {i}", Payload);
        for (var i = 0; i < 10; i++) test.Set($"late {i}", Payload, TestCache.For(TimeSpan.FromHours(10) - TimeSpan.FromMinutes(i)));
        for (var i = 0; i < 10; i++) test.Set($"early {i}", Payload, TestCache.For(TimeSpan.FromHours(1)));
        string[] order =
        [
            .. Enumerable.Range(0, 10).Select(i => $"early {i}"), .. Enumerable.Range(0, 10).Select(i => $"late {9 - i}"),
            .. Enumerable.Range(0, 10).Select(i => $"never {i}"),
        ];
        string[] gone = [];
        for (var i = 0; i < 60; i++)
        {
            test.Set($"filling {i}", Payload);
            // Those that are gone are the first ones of the order, however many a set evicts.
            var left = order.SkipWhile(key => test.Get(key) is null).ToArray();
            Assert.All(left, key => Assert.NotNull(test.Get(key)));
            gone = order[..^left.Length];
        }

        Assert.Equal(order, gone);
    }

    [Fact]
    public void What_has_expired_goes_before_anything_that_has_not()
    {
        using var test = Bounded();
        for (var i = 0; i < 20; i++) test.Set($"expired {i}", Payload, TestCache.For(TimeSpan.FromMinutes(1)));
        for (var i = 0; i < 15; i++) test.Set($"lives {i}", Payload, TestCache.For(TimeSpan.FromHours(1)));
        test.Clock.Advance(TimeSpan.FromMinutes(2));
        for (var i = 0; i < 20; i++) test.Set($"new {i}", Payload, TestCache.For(TimeSpan.FromHours(2)));
        Assert.Equal(35, test.CountEntries());
        Assert.Equal(0, test.Cache.GetStatistics().Evictions);
        test.RequireQueueIsExact();
    }

    [Fact]
    public void What_was_set_again_after_it_had_expired_does_not_go_with_what_it_was()
    {
        using var test = Bounded();
        for (var i = 0; i < 20; i++) test.Set($"{i}", Payload, TestCache.For(TimeSpan.FromMinutes(1)));
        test.Clock.Advance(TimeSpan.FromMinutes(2));
        for (var i = 0; i < 20; i++) test.Set($"{i}", "again");
        for (var i = 0; i < 30; i++) test.Set($"new {i}", Payload, TestCache.For(TimeSpan.FromHours(2)));
        for (var i = 0; i < 20; i++) Assert.Equal("again", test.Get($"{i}"));
        test.RequireQueueIsExact();
    }

    [Fact]
    public void What_has_expired_and_was_dropped_stays_away_when_the_clock_is_set_back()
    {
        using var test = Bounded();
        for (var i = 0; i < 20; i++) test.Set($"expired {i}", Payload, TestCache.For(TimeSpan.FromMinutes(1)));
        test.Clock.Advance(TimeSpan.FromMinutes(2));
        for (var i = 0; i < 60; i++) test.Set($"new {i}", Payload, TestCache.For(TimeSpan.FromHours(2)));
        test.Clock.JumpWallClock(-TimeSpan.FromMinutes(2));
        Assert.Null(test.Get("expired 19"));
        test.RequireQueueIsExact();
    }

    [Fact]
    public void An_entry_that_is_asked_for_moves_back_in_the_queue()
    {
        using var test = Bounded();
        for (var i = 0; i < 30; i++) test.Set($"{i:d2}", Payload, TestCache.Sliding(TimeSpan.FromHours(1)));
        test.Clock.Advance(TimeSpan.FromMinutes(30));
        Assert.NotNull(test.Get("00"));
        for (var i = 30; i < 50; i++) test.Set($"{i:d2}", Payload, TestCache.Sliding(TimeSpan.FromHours(1)));
        Assert.NotNull(test.Get("00"));
        Assert.Null(test.Get("01"));
        test.RequireQueueIsExact();
    }

    [Fact]
    public void What_is_replaced_or_removed_does_not_count_any_more()
    {
        using var test = Bounded();
        test.Set("first", "1");
        var before = test.Cache.GetStatistics().UsedBytes;
        for (var i = 0; i < 200; i++) test.Set("second", Payload, TestCache.For(TimeSpan.FromHours(1)));
        for (var i = 0; i < 200; i++) test.Set($"{i}", Payload, TestCache.For(TimeSpan.FromHours(1)));
        for (var i = 0; i < 200; i++) test.Cache.Remove($"{i}");
        test.Cache.Remove("second");
        Assert.Equal(before, test.Cache.GetStatistics().UsedBytes);
        Assert.Equal("1", test.Get("first"));
        test.RequireQueueIsExact();
    }

    [Fact]
    public void An_entry_that_is_longer_than_the_bound_is_refused()
    {
        using var test = Bounded();
        test.Set("key", "value");
        var failure = Assert.Throws<ValueTooLongException>(() => test.Cache.Set("key", new byte[Bound], new()));
        test.Cache.Set("key", new byte[failure.LimitBytes], new());
        Assert.Equal(failure.LimitBytes, test.Cache.Get("key")!.Length);
    }

    [Fact]
    public void What_is_used_is_known_again_after_a_restart()
    {
        using var test = Bounded();
        for (var i = 0; i < 100; i++) test.Set($"{i}", Payload, TestCache.For(TimeSpan.FromMinutes(1 + i)));
        var before = test.Cache.GetStatistics().UsedBytes;
        test.Close();
        test.Open();
        Assert.Equal(before, test.Cache.GetStatistics().UsedBytes);
        for (var i = 100; i < 200; i++) test.Set($"{i}", Payload, TestCache.For(TimeSpan.FromMinutes(1 + i)));
        Assert.True(test.Cache.GetStatistics().UsedBytes <= Bound);
        Assert.NotNull(test.Get("199"));
        test.RequireQueueIsExact();
    }

    [Fact]
    public void A_bound_that_is_set_ended_and_set_again_holds_for_what_was_there()
    {
        using var test = new TestCache();
        for (var i = 0; i < 100; i++) test.Set($"{i:d3}", Payload, TestCache.For(TimeSpan.FromMinutes(200 - i)));
        Restart(test, bound: Bound);
        Assert.InRange(test.CountEntries(), 35, 41);
        Assert.NotNull(test.Get("000"));
        Restart(test, bound: null);
        test.Cache.Remove("000");
        for (var i = 0; i < 100; i++) test.Set($"{i:d3}", Payload, TestCache.For(TimeSpan.FromMinutes(500 - i)));
        using (var records = test.Store.Scan(new CacheKeys("cache/").Queue)) Assert.False(records.MoveNext());
        Restart(test, bound: Bound);
        Assert.InRange(test.CountEntries(), 35, 41);
        Assert.NotNull(test.Get("000"));

        static void Restart(TestCache test, long? bound)
        {
            test.Close();
            test.Open(options => options.MaxBytes = bound);
            if (bound is not null) test.RequireQueueIsExact();
        }
    }

    /// <summary>
    /// Sets, removes, renewals, time and restarts in any order: the queue is exact, and what is there is what was set last.
    /// </summary>
    [Theory, Seeds(count: 8)]
    public void The_queue_is_exact_whatever_happens(ulong seed)
    {
        var random = new SeededRandom(seed);
        using var test = Bounded();
        var last = new Dictionary<string, string>(StringComparer.Ordinal);
        var evictions = 0L;
        for (var step = 0; step < TestTier.Choose(300, 3000); step++)
        {
            var key = $"{random.Next(60)}";
            switch (random.Next(12))
            {
                case < 7:
                    last[key] = new string((char)('a' + random.Next(26)), random.Next(3000));
                    test.Set(key, last[key], Options(random));
                    break;
                case 7:
                    test.Cache.Remove(key);
                    last.Remove(key);
                    break;
                case 8: test.Cache.Refresh(key); break;
                case 9: test.Clock.Advance(TimeSpan.FromSeconds(random.Next(200))); break;
                case 10 when random.Next(20) == 0:
                    test.Cache.Clear();
                    last.Clear();
                    break;
                case 10 when random.Next(10) == 0:
                    evictions += test.Cache.GetStatistics().Evictions;
                    test.Close();
                    test.Open();
                    break;
                default:
                    if (test.Get(key) is { } found) Assert.Equal(last.GetValueOrDefault(key), found);
                    break;
            }

            Assert.True(test.Cache.GetStatistics().UsedBytes <= Bound, $"seed {seed}, step {step}");
            if (step % 20 == 0) test.RequireQueueIsExact();
        }

        test.RequireQueueIsExact();
        Assert.True(evictions + test.Cache.GetStatistics().Evictions > 0);
    }

    static DistributedCacheEntryOptions Options(SeededRandom random) => new()
    {
        SlidingExpiration = random.Next(2) == 0 ? TimeSpan.FromSeconds(1 + random.Next(600)) : null,
        AbsoluteExpirationRelativeToNow = random.Next(2) == 0 ? TimeSpan.FromSeconds(1 + random.Next(600)) : null,
    };

    static TestCache Bounded() => new(options => options.MaxBytes = Bound);
}
