using Ashlar.KeyValue.Caching.Entries;
using Ashlar.KeyValue.Caching.Eviction;
using Ashlar.Simulation;
using Ashlar.Storage;
using Microsoft.Extensions.Caching.Distributed;

namespace Ashlar.KeyValue.Caching.Tests;

/// <summary>What the cache relies on is looked at where it is kept: a bug is an error, and not a bound that is not kept.</summary>
public sealed class InvariantTests
{
    static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_record_that_says_something_else_of_its_entry_than_it_takes_is_noticed_before_the_entry_goes()
    {
        using var test = new TestCache(options => options.MaxBytes = 40_000);
        test.Set("first", new string('x', 900));
        byte[] key, value;
        using (var records = test.Store.Scan(new CacheKeys("cache/").Queue))
        {
            Assert.True(records.MoveNext());
            (key, value) = (records.Key.ToArray(), records.Value.ToArray());
        }

        value[0]++;
        test.Store.Put(key, value);
        Assert.Throws<InvariantException>(() =>
        {
            for (var i = 0; i < 50; i++) test.Set($"{i}", new string('x', 900));
        });
        Assert.NotNull(test.Get("first"));
    }

    [Fact]
    public void More_taken_away_than_was_there_is_noticed()
    {
        using var test = new TestCache(options => options.MaxBytes = 40_000);
        test.Cache.Dispose();
        using var queue = new EvictionQueue(test.Store, new CacheKeys("cache/"), new KeyStripes(), 40_000);
        queue.Counting.GetAwaiter().GetResult();
        queue.Account(100);
        Assert.Throws<InvariantException>(() => queue.Account(-101));
    }

    [Theory]
    [InlineData(null, 60), InlineData(30, 60), InlineData(90, 60), InlineData(1, 10_000_000)]
    public void A_renewal_moves_the_window_and_nothing_else_and_never_beyond_the_end(int? endMinutes, int windowMinutes)
    {
        var options = new DistributedCacheEntryOptions
        {
            SlidingExpiration = TimeSpan.FromMinutes(windowMinutes),
            AbsoluteExpirationRelativeToNow = endMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
        };
        var header = EntryLife.Begin(options, Now, 1);
        for (var minute = 0; minute < 100; minute += 7)
        {
            var renewed = EntryLife.Renew(header, Now.AddMinutes(minute), 2);
            var window = Now.AddMinutes(minute + windowMinutes);
            var expected = endMinutes is { } end && Now.AddMinutes(end) < window ? Now.AddMinutes(end) : window;
            Assert.Equal(header with { ExpiresAt = expected.ToUnixTimeMilliseconds(), Number = 2 }, renewed);
        }
    }

    [Fact]
    public void What_has_no_window_is_not_renewed() => Assert.Throws<InvariantException>(
        () => EntryLife.Renew(EntryLife.Begin(new() { AbsoluteExpiration = Now.AddDays(1) }, Now, 1), Now, 2));

    /// <summary>0 means never: an entry that ends at or before it would stay.</summary>
    [Theory, InlineData(-10), InlineData(-5), InlineData(0)]
    public void An_entry_that_is_set_under_a_clock_before_1970_still_ends(int minutes)
    {
        using var test = new TestCache();
        test.Clock.JumpWallClock(DateTimeOffset.UnixEpoch.AddMinutes(minutes) - test.Clock.GetUtcNow());
        test.Set("ends", "1", TestCache.For(TimeSpan.FromMinutes(5)));
        test.Set("slides", "2", TestCache.Sliding(TimeSpan.FromMinutes(5)));
        Assert.Equal("1 2", $"{test.Get("ends")} {test.Get("slides")}");
        test.Clock.JumpWallClock(TimeSpan.FromDays(365));
        Assert.Equal(" ", $"{test.Get("ends")} {test.Get("slides")}");
    }

    [Fact]
    public void A_buffer_has_one_user_at_a_time_who_fills_no_more_than_he_was_given()
    {
        var buffer = ReadBuffer.Rent();
        Assert.NotSame(buffer, ReadBuffer.Rent());
        var length = buffer.GetSpan(10).Length;
        Assert.Throws<InvariantException>(() => buffer.Advance(length + 1));
        Assert.Throws<InvariantException>(() => buffer.Advance(-1));
        buffer.Advance(length);
        buffer.Return();
        Assert.Throws<InvariantException>(buffer.Return);
    }

    [Fact]
    public void A_batch_that_was_used_comes_back_empty()
    {
        var batches = new BatchPool();
        var batch = batches.Rent();
        batch.Put("key"u8, "value"u8);
        batches.Return(batch);
        Assert.Same(batch, batches.Rent());
        Assert.Equal(0, batch.Count);
        batches.Return(batch);
        batch.Put("of somebody who has given it back"u8, "value"u8);
        Assert.Throws<InvariantException>(batches.Rent);
    }
}
