using System.Buffers;
using System.Diagnostics.Metrics;
using Ashlar.KeyValue.Caching.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Caching.Tests;

/// <summary>A prefix of a store belongs to one cache, until it is disposed of.</summary>
public sealed class OwnershipTests
{
    [Theory, InlineData(null), InlineData(40_000)]
    public void A_second_cache_at_the_prefix_is_refused_until_the_first_is_disposed_of(int? bound)
    {
        using var test = new TestCache(options => options.MaxBytes = bound);
        test.Set("key", "value");
        var refused = Assert.Throws<InvalidOperationException>(() => new KeyValueCache(test.Store));
        Assert.Contains("'cache/'", refused.Message, StringComparison.Ordinal);
        using (var other = new KeyValueCache(test.Store, new() { KeyPrefix = "other/" })) other.Set("key", [1], new());
        using (var other = new KeyValueCache(test.Store, new() { KeyPrefix = "other/" })) Assert.Equal([1], other.Get("key")!);
        test.Cache.Dispose();
        test.Cache.Dispose();
        using var second = new KeyValueCache(test.Store, new() { TimeProvider = test.Clock });
        Assert.NotNull(second.Get("key"));
    }

    [Fact]
    public void One_that_cannot_be_created_leaves_the_prefix_to_the_next()
    {
        using var test = new TestCache();
        test.Cache.Dispose();
        Assert.Throws<NotSupportedException>(() => new KeyValueCache(test.Store, new() { MaxBytes = 40_000 }, new NoMeters()));
        Assert.Equal(0, test.Store.GetStatistics().Snapshots);
        new KeyValueCache(test.Store).Dispose();
    }

    [Fact]
    public async Task One_that_was_disposed_of_refuses_every_call()
    {
        using var test = new TestCache(options => options.MaxBytes = 40_000);
        test.Set("key", "value");
        var cache = test.Cache;
        cache.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cache.Get("key"));
        Assert.Throws<ObjectDisposedException>(() => cache.TryGet("key", new ArrayBufferWriter<byte>()));
        Assert.Throws<ObjectDisposedException>(() => cache.Set("key", [1], new()));
        Assert.Throws<ObjectDisposedException>(() => cache.Refresh("key"));
        Assert.Throws<ObjectDisposedException>(() => cache.Remove("key"));
        Assert.Throws<ObjectDisposedException>(() => cache.Clear());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cache.GetAsync("key"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cache.SetAsync("key", [1], new()));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cache.RefreshAsync("key"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cache.RemoveAsync("key"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cache.ClearAsync());
        Assert.Equal(1, test.CountEntries());
    }

    /// <summary>Whoever is writing while a cache is disposed of has written, or not, when the next one counts.</summary>
    [Fact]
    public async Task The_next_one_knows_all_that_was_written_by_the_one_before()
    {
        using var test = new TestCache(options => options.MaxBytes = 40_000);
        for (var round = 0; round < TestTier.Choose(10, 300); round++)
        {
            var cache = test.Cache;
            var writers = Enumerable.Range(0, 3).Select(writer => Task.Run(async () =>
            {
                try
                {
                    for (var i = 0; ; i++) await cache.SetAsync($"{writer} {i % 97}", new byte[(i * 37) % 1500], new());
                }
                catch (ObjectDisposedException)
                {
                    // The cache was disposed of.
                }
            })).ToArray();
            await TestKit.Waiting.UntilAsync(() => cache.GetStatistics().Sets > 100, "the cache is in use");
            test.Reopen();
            await Task.WhenAll(writers);
            test.RequireQueueIsExact();
        }
    }

    [Fact]
    public void A_claim_is_given_back_once()
    {
        using var test = new TestCache();
        var claim = PrefixClaim.Take(test.Store, "claimed");
        Assert.Throws<InvalidOperationException>(() => PrefixClaim.Take(test.Store, "claimed"));
        claim.Dispose();
        Assert.Throws<InvariantException>(claim.Dispose);
    }

    sealed class NoMeters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
