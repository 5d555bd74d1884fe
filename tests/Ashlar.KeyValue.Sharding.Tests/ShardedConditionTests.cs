namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>Conditional writes within a shard; what lies in several, or is salted, has no one order to check them in.</summary>
public sealed class ShardedConditionTests
{
    [Fact]
    public async Task Conditions_are_checked_in_the_shard_of_their_keys()
    {
        var options = ShardedTestStore.Small(TestStore.NewDisk(), hashedPrefix: 1) with { SaltedPrefix = "hot/"u8.ToArray() };
        using var store = ShardedKeyValueStore.Open(TestStore.Directory, options);
        for (var i = 0; i < 20; i++) Assert.True(store.PutIfAbsent(TestStore.Bytes($"{i}"), "1"u8));
        for (var i = 0; i < 20; i++) Assert.False(store.PutIfAbsent(TestStore.Bytes($"{i}"), "2"u8, TimeSpan.FromDays(1)));
        Assert.True(store.TryGetInfo("7"u8, out var info));
        Assert.True(store.PutIfUnchanged("7"u8, "3"u8, info.Sequence));
        Assert.False(store.DeleteIfUnchanged("7"u8, info.Sequence));
        Assert.True(store.TryRenew("7"u8, TimeSpan.FromDays(1)));
        Assert.Equal(2, store.Increment("n"u8, 1) + store.Increment("m"u8, 1));
        Assert.Equal(1, store.Increment("window"u8, 1, TimeSpan.FromDays(1)));
        Assert.True(store.TryGetInfo("window"u8, out var window) && window.ExpiresAt is not null);

        var batch = new WriteBatch();
        batch.Put("11"u8, "both"u8);
        batch.Put("12"u8, "both"u8);
        Assert.False(store.TryWrite(batch, new WriteConditions().RequireAbsent("13"u8)));
        Assert.True(store.TryWrite(batch, new WriteConditions().RequireAbsent("1x"u8)));
        Assert.False(await store.TryWriteAsync(batch, new WriteConditions().RequireAbsent("11"u8)));
        Assert.True(await store.TryWriteAsync(batch, new WriteConditions()));
        Assert.Equal("both", store.Get("11"));
        Assert.True(store.TryWrite(new WriteBatch(), new WriteConditions()));

        var other = Enumerable.Range('a', 26).Select(letter => $"{(char)letter}")
            .First(key => store.GetShard(TestStore.Bytes(key)) != store.GetShard("1"u8));
        Assert.Throws<CrossShardBatchException>(() => store.TryWrite(batch, new WriteConditions().RequireAbsent(TestStore.Bytes(other))));
        await Assert.ThrowsAsync<CrossShardBatchException>(
            async () => await store.TryWriteAsync(batch, new WriteConditions().RequireAbsent(TestStore.Bytes(other))));
        Assert.Throws<NotSupportedException>(() => store.PutIfAbsent("hot/a"u8, "x"u8));
        Assert.Throws<NotSupportedException>(() => store.DeleteIfUnchanged("hot/a"u8, 0));
        Assert.Throws<NotSupportedException>(() => store.TryRenew("hot/a"u8, TimeSpan.FromDays(1)));
        Assert.Throws<NotSupportedException>(() => store.Increment("hot/a"u8, 1, TimeSpan.FromDays(1)));
        Assert.Throws<NotSupportedException>(() => store.TryWrite(batch, new WriteConditions().RequireAbsent("hot/a"u8)));
        batch.Put("hot/a"u8, "x"u8);
        Assert.Throws<NotSupportedException>(() => store.TryWrite(batch, new WriteConditions()));
        Assert.True(store.GetStatistics().ConditionalWrites > 20);
        store.Dispose();
        Assert.Throws<ObjectDisposedException>(() => store.PutIfAbsent("a"u8, "x"u8));
    }
}
