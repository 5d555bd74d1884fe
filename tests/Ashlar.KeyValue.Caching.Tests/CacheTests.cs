using System.Buffers;
using System.Text;
using Ashlar.KeyValue.Caching.Entries;
using Ashlar.Simulation;
using Ashlar.Storage;
using Microsoft.Extensions.Caching.Distributed;

namespace Ashlar.KeyValue.Caching.Tests;

public sealed class CacheTests
{
    public static TheoryData<string> Forms => ["sync", "async", "buffers", "async buffers"];

    [Fact]
    public void A_sliding_entry_that_was_set_while_the_clock_was_ahead_lives_for_its_window_once_it_is_asked_for()
    {
        using var test = new TestCache();
        test.Clock.JumpWallClock(TimeSpan.FromDays(365));
        test.Set("key", "value", TestCache.Sliding(TimeSpan.FromMinutes(10)));
        test.Clock.JumpWallClock(-TimeSpan.FromDays(365));
        Assert.Equal("value", test.Get("key"));
        test.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal("value", test.Get("key"));
        test.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(test.Get("key"));
    }

    [Theory, InlineData(null), InlineData(1 << 20)]
    public void A_store_that_takes_short_keys_and_values_alone_holds_a_cache_with_keys_of_any_length(int? bound)
    {
        var narrow = bound is null ? 41 : 405;
        using var test = new TestCache(
            options => options.MaxBytes = bound, adapt: options => options with { MaxKeyBytes = 39, MaxValueBytes = narrow });
        foreach (var length in (int[])[0, 32, 33, 500])
        {
            var key = new string('k', length);
            test.Cache.Set(key, [(byte)length], new());
            Assert.Equal((byte)length, Assert.Single(test.Cache.Get(key)!));
            test.Cache.Remove(key);
            Assert.Null(test.Cache.Get(key));
        }

        var refused = Assert.Throws<ValueTooLongException>(() => test.Cache.Set("key", new byte[narrow - 39], new()));
        Assert.Equal(narrow - 40, refused.LimitBytes);
        Assert.Equal(0, test.CountEntries());
        Refused("MaxKeyBytes", options => options with { MaxKeyBytes = 38 });
        Refused("MaxValueBytes", options => options with { MaxValueBytes = narrow - 1 });

        void Refused(string option, Func<KeyValueOptions, KeyValueOptions> adapt)
        {
            var disk = new SimulatedFileSystem(isRecording: false);
            using var store = KeyValueStore.Open("/narrow", adapt(TestCache.StoreOptions(disk, test.Clock)));
            Assert.Throws<ArgumentException>(option, () => new KeyValueCache(store, new() { MaxBytes = bound }));
        }
    }

    /// <summary>Payloads in tables, in segments, and longer than what is kept of buffers.</summary>
    [Theory, MemberData(nameof(Forms))]
    public async Task What_was_set_is_got_until_it_is_removed(string form)
    {
        using var test = new TestCache();
        var calls = CacheCalls.Of(form);
        foreach (var length in (int[])[0, 1, 100, 300, 5000, 200_000])
        {
            var payload = Enumerable.Range(0, length).Select(index => (byte)(index * 31)).ToArray();
            Assert.Null(await calls.Get(test.Cache, "key"));
            await calls.Set(test.Cache, "key", payload, new());
            Assert.Equal(payload, await calls.Get(test.Cache, "key"));
            await calls.Set(test.Cache, "key", [7], new());
            Assert.Equal([7], await calls.Get(test.Cache, "key"));
            await calls.Remove(test.Cache, "key");
        }

        Assert.Null(await calls.Get(test.Cache, "key"));
        await calls.Remove(test.Cache, "key");
        var statistics = test.Cache.GetStatistics();
        Assert.Equal((12, 7, 12), (statistics.Hits, statistics.Misses, statistics.Sets));
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task Each_kind_of_expiry_ends_an_entry_to_the_millisecond(string form)
    {
        using var test = new TestCache();
        var calls = CacheCalls.Of(form);
        var now = test.Clock.GetUtcNow();
        var minute = TimeSpan.FromMinutes(1);
        await calls.Set(test.Cache, "moment", [1], new() { AbsoluteExpiration = now + minute });
        await calls.Set(test.Cache, "time", [1], TestCache.For(minute));
        await calls.Set(test.Cache, "window", [1], TestCache.Sliding(minute));
        await calls.Set(test.Cache, "never", [1], new());
        await calls.Set(
            test.Cache, "earlier", [1], new() { AbsoluteExpiration = now + minute, AbsoluteExpirationRelativeToNow = 2 * minute });
        await calls.Set(
            test.Cache, "capped", [1], new() { AbsoluteExpirationRelativeToNow = minute, SlidingExpiration = 2 * minute });
        string[] ending = ["moment", "time", "window", "earlier", "capped"];
        test.Clock.Advance(minute - TimeSpan.FromMilliseconds(1));
        Assert.Equal(6, test.CountEntries());
        test.Clock.Advance(TimeSpan.FromMilliseconds(1));
        foreach (var key in ending) Assert.Null(await calls.Get(test.Cache, key));
        Assert.Equal([1], await calls.Get(test.Cache, "never"));
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task A_sliding_entry_lives_while_it_is_asked_for_and_no_longer_than_its_moment(string form)
    {
        using var test = new TestCache();
        var calls = CacheCalls.Of(form);
        await calls.Set(
            test.Cache, "key", [1],
            new() { SlidingExpiration = TimeSpan.FromMinutes(10), AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(60) });
        for (var minute = 0; minute < 56; minute += 8)
        {
            Assert.Equal([1], await calls.Get(test.Cache, "key"));
            test.Clock.Advance(TimeSpan.FromMinutes(8));
        }

        Assert.Equal([1], await calls.Get(test.Cache, "key"));
        test.Clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Null(await calls.Get(test.Cache, "key"));
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task A_read_writes_once_a_tenth_of_the_window_has_passed_and_not_before(string form)
    {
        using var test = new TestCache();
        var calls = CacheCalls.Of(form);
        await calls.Set(test.Cache, "key", [1], TestCache.Sliding(TimeSpan.FromMinutes(10)));
        test.Clock.Advance(TimeSpan.FromSeconds(59));
        for (var i = 0; i < 10; i++) await calls.Get(test.Cache, "key");
        await calls.Refresh(test.Cache, "key");
        Assert.Equal(1, test.Store.GetStatistics().Puts);
        test.Clock.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 10; i++) await calls.Get(test.Cache, "key");
        Assert.Equal(2, test.Store.GetStatistics().Puts);
        Assert.Equal(1, test.Cache.GetStatistics().Renewals);
        test.Clock.Advance(TimeSpan.FromMinutes(9));
        await calls.Refresh(test.Cache, "key");
        test.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal([1], await calls.Get(test.Cache, "key"));
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task An_expiry_in_the_past_is_refused_and_changes_nothing(string form)
    {
        using var test = new TestCache();
        var calls = CacheCalls.Of(form);
        await calls.Set(test.Cache, "key", [1], new());
        var failure = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => calls.Set(test.Cache, "key", [2], new() { AbsoluteExpiration = test.Clock.GetUtcNow() }));
        Assert.Equal(nameof(DistributedCacheEntryOptions.AbsoluteExpiration), failure.ParamName);
        Assert.Equal([1], await calls.Get(test.Cache, "key"));
    }

    [Fact]
    public void Times_without_end_are_no_end()
    {
        using var test = new TestCache();
        test.Set("time", "1", TestCache.For(TimeSpan.MaxValue));
        test.Set("window", "2", TestCache.Sliding(TimeSpan.MaxValue));
        test.Set("moment", "3", new() { AbsoluteExpiration = DateTimeOffset.MaxValue });
        test.Set("tick", "4", TestCache.Sliding(TimeSpan.FromTicks(1)));
        Assert.Equal("1 2 3 4", $"{test.Get("time")} {test.Get("window")} {test.Get("moment")} {test.Get("tick")}");
        test.Clock.Advance(TimeSpan.FromDays(365_000));
        Assert.Equal("1 2 3 ", $"{test.Get("time")} {test.Get("window")} {test.Get("moment")} {test.Get("tick")}");
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task A_payload_that_is_too_long_is_refused_by_a_typed_error(string form)
    {
        using var test = new TestCache(options => options.MaxEntryBytes = 100);
        var calls = CacheCalls.Of(form);
        await calls.Set(test.Cache, "key", new byte[100], new());
        var failure = await Assert.ThrowsAsync<ValueTooLongException>(() => calls.Set(test.Cache, "key", new byte[101], new()));
        Assert.Equal((101, 100), (failure.LengthBytes, failure.LimitBytes));
        Assert.Equal(new byte[100], await calls.Get(test.Cache, "key"));
        Assert.Equal(100, (await calls.Get(test.Cache, "key"))!.Length);
    }

    [Fact]
    public void The_longest_payload_fits_into_a_value_of_the_store()
    {
        using var test = new TestCache();
        test.Cache.Set("key", new byte[KeyValueCacheOptions.EntryLimitBytes], new());
        Assert.Equal(KeyValueCacheOptions.EntryLimitBytes, test.Cache.Get("key")!.Length);
        Assert.Throws<ValueTooLongException>(() => test.Cache.Set("key", new byte[KeyValueCacheOptions.EntryLimitBytes + 1], new()));
    }

    [Fact]
    public void Keys_are_of_any_length_and_any_characters_and_never_taken_for_each_other()
    {
        using var test = new TestCache();
        var keys = new[]
        {
            "", "a", "A", "ä", "a\0", "\0", "\u0001", "\ud800", "\udc00", "\ufffd", "\ud83d\ude00", new string('k', 400),
            new string('k', 401), new string('k', 400) + "l", new string('ä', 201), new string('k', 100_000), "a ", " a",
        };
        foreach (var key in keys) test.Set(key, $"value of {key.Length} {key.GetHashCode(StringComparison.Ordinal)}");
        test.Close();
        test.Open();
        foreach (var key in keys) Assert.Equal($"value of {key.Length} {key.GetHashCode(StringComparison.Ordinal)}", test.Get(key));
        Assert.Equal(keys.Length, test.CountEntries());
        foreach (var key in keys) test.Cache.Remove(key);
        Assert.Equal(0, test.CountEntries());
    }

    [Fact]
    public void Nothing_is_written_to_the_callers_buffer_when_an_entry_is_absent()
    {
        using var test = new TestCache();
        var buffer = new ArrayBufferWriter<byte>();
        Assert.False(test.Cache.TryGet("key", buffer));
        Assert.Equal(0, buffer.WrittenCount);
        buffer.Write("before "u8);
        test.Set("key", "value");
        Assert.True(test.Cache.TryGet("key", buffer));
        Assert.Equal("before value"u8, buffer.WrittenSpan);
    }

    [Fact]
    public void What_was_set_is_there_again_after_a_restart_and_expires_when_it_was_to()
    {
        using var test = new TestCache();
        test.Set("stays", "1");
        test.Set("ends", "2", TestCache.For(TimeSpan.FromMinutes(10)));
        test.Set("slides", "3", TestCache.Sliding(TimeSpan.FromMinutes(10)));
        test.Close();
        test.Clock.Advance(TimeSpan.FromMinutes(9));
        test.Open();
        Assert.Equal("1 2 3", $"{test.Get("stays")} {test.Get("ends")} {test.Get("slides")}");
        test.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal("1  3", $"{test.Get("stays")} {test.Get("ends")} {test.Get("slides")}");
    }

    [Fact]
    public void Caches_and_other_data_share_a_store_by_their_prefixes()
    {
        using var test = new TestCache();
        using var longer = new KeyValueCache(test.Store, new() { TimeProvider = test.Clock, KeyPrefix = "cache/a", MaxBytes = 1 << 20 });
        using var bare = new KeyValueCache(test.Store, new() { TimeProvider = test.Clock, KeyPrefix = "", MaxBytes = 1 << 20 });
        test.Store.Put("cache"u8, "other data"u8);
        foreach (var (cache, value) in ((KeyValueCache, byte)[])[(test.Cache, 1), (longer, 2), (bare, 3)])
        {
            foreach (var key in (string[])["a", "/", "cache/a"]) cache.Set(key, [value], new());
        }

        foreach (var (cache, value) in ((KeyValueCache, byte)[])[(test.Cache, 1), (longer, 2), (bare, 3)])
        {
            foreach (var key in (string[])["a", "/", "cache/a"]) Assert.Equal([value], cache.Get(key)!);
        }

        Assert.Equal("other data"u8, test.Store.Get("cache"u8)!);
        foreach (var key in (string[])["a", "/", "cache/a"]) bare.Remove(key);
        Assert.Equal(3, test.CountEntries());
    }

    [Fact]
    public void A_value_that_is_no_entry_is_an_error_that_names_the_key()
    {
        using var test = new TestCache();
        test.Store.Put("cache/\u0001key"u8, "other data"u8);
        var failure = Assert.Throws<UnsupportedFormatException>(() => test.Cache.Get("key"));
        Assert.Contains("'key'", failure.Message, StringComparison.Ordinal);
        Assert.Throws<UnsupportedFormatException>(() => test.Cache.Refresh("key"));
        test.Set("key", "value");
        Assert.Equal("value", test.Get("key"));
    }

    [Fact]
    public void Arguments_are_required()
    {
        using var test = new TestCache();
        Assert.Throws<ArgumentNullException>(() => test.Cache.Get(null!));
        Assert.Throws<ArgumentNullException>(() => test.Cache.Set("key", null!, new()));
        Assert.Throws<ArgumentNullException>(() => test.Cache.Set("key", [], null!));
        Assert.Throws<ArgumentNullException>(() => test.Cache.Set(null!, [], new()));
        Assert.Throws<ArgumentNullException>(() => test.Cache.Refresh(null!));
        Assert.Throws<ArgumentNullException>(() => test.Cache.Remove(null!));
        Assert.Throws<ArgumentNullException>(() => test.Cache.TryGet("key", null!));
    }

    [Theory]
    [InlineData("StoreName"), InlineData("KeyPrefix"), InlineData("MaxBytes"), InlineData("MaxEntryBytes"), InlineData("Durability")]
    public void An_option_out_of_its_bounds_is_named(string option)
    {
        using var test = new TestCache();
        var options = option switch
        {
            "StoreName" => new KeyValueCacheOptions { StoreName = null! },
            "KeyPrefix" => new KeyValueCacheOptions { KeyPrefix = "a\u0001" },
            "MaxBytes" => new KeyValueCacheOptions { MaxBytes = 4095 },
            "MaxEntryBytes" => new KeyValueCacheOptions { MaxEntryBytes = 0 },
            _ => new KeyValueCacheOptions { Durability = (Durability)17 },
        };
        Assert.Equal(option, Assert.ThrowsAny<ArgumentException>(() => new KeyValueCache(test.Store, options)).ParamName);
    }

    [Fact]
    public void A_get_finds_its_entry_also_where_a_full_disk_refuses_to_renew_it()
    {
        var disk = new FaultyFileSystem(new SimulatedFileSystem(isRecording: false));
        using var test = new TestCache(disk: disk);
        test.Set("key", "value", TestCache.Sliding(TimeSpan.FromMinutes(10)));
        test.Clock.Advance(TimeSpan.FromMinutes(5));
        const FaultOperations Growing = FaultOperations.Write | FaultOperations.Allocate | FaultOperations.SetLength;
        disk.Add(new FaultRule(Growing, FaultKind.NoSpace) { IsSticky = true });
        Assert.Equal("value", test.Get("key"));
        Assert.Equal(1, test.Cache.GetStatistics().FailedRenewals);
        Assert.ThrowsAny<AshlarException>(() => test.Cache.Refresh("key"));
        disk.Heal();
    }

    [Fact]
    public async Task An_asynchronous_get_that_has_to_wait_for_the_disk_does_so_on_another_thread()
    {
        var inner = new SimulatedFileSystem(isRecording: false);
        Thread? caller = null;
        using var hasReturned = new ManualResetEventSlim();
        var disk = new FaultyFileSystem(inner)
        {
            BeforeOperation = (operation, _) =>
            {
                if (operation == FaultOperations.Read && caller is not null && Thread.CurrentThread != caller) hasReturned.Wait();
            },
        };
        using var test = new TestCache(disk: disk);
        test.Cache.Set("key", new byte[100_000], new());
        test.Store.Flush();
        inner.PageCache.Drop();
        // On a thread of its own, which no pool gives to others meanwhile.
        Task<byte[]?>? get = null;
        caller = new Thread(() => get = test.Cache.GetAsync("key"));
        caller.Start();
        caller.Join();
        Assert.Equal(0, inner.PageCache.Waits);
        hasReturned.Set();
        Assert.Equal(100_000, (await get!)!.Length);
        Assert.True(inner.PageCache.Waits > 0);
    }

    [Fact]
    public void A_renewal_never_brings_back_what_was_set_or_removed_meanwhile()
    {
        // Every read is due for a renewal, so that one is under way all the time.
        var clock = new HastyClock();
        using var store = KeyValueStore.Open(
            TestCache.Directory, TestCache.StoreOptions(new SimulatedFileSystem(isRecording: false), TimeProvider.System));
        using var cache = new KeyValueCache(store, new() { TimeProvider = clock, Durability = Durability.Unflushed });
        var isOver = false;
        var renewing = new Thread(() =>
        {
            while (!Volatile.Read(ref isOver)) cache.Refresh("key");
        });
        renewing.Start();
        var wrong = 0;
        for (var round = 0; round < TestTier.Choose(3000, 100_000); round++)
        {
            cache.Set("key", BitConverter.GetBytes(round), TestCache.Sliding(TimeSpan.FromDays(20)));
            if (cache.Get("key") is not { } found || BitConverter.ToInt32(found) != round) wrong++;
            if (round % 3 != 0) continue;
            cache.Remove("key");
            if (cache.Get("key") is not null) wrong++;
        }

        Volatile.Write(ref isOver, true);
        renewing.Join();
        Assert.Equal(0, wrong);
        Assert.True(cache.GetStatistics().Renewals > 100, $"{cache.GetStatistics().Renewals} renewals");
    }

    [Fact]
    public void Texts_of_keys_are_told_from_halves_of_characters()
    {
        Assert.True(CacheKeys.IsText("ä\ud83d\ude00"));
        Assert.False(CacheKeys.IsText("\ud83d"));
        Assert.Equal(4, Encoding.UTF8.GetByteCount("\ud83d\ude00"));
    }

    /// <summary>Each look at it is three days later.</summary>
    sealed class HastyClock : TimeProvider
    {
        long days;

        public override DateTimeOffset GetUtcNow() =>
            new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero).AddDays(3 * (Interlocked.Increment(ref days) % 100_000));
    }
}
