using Ashlar.Simulation;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>Deleting all keys of a range in a store with shards.</summary>
public sealed class RangeDeleteTests
{
    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    [Fact]
    public void A_range_goes_from_every_shard()
    {
        using var store = ShardedTestStore.Open(disk);
        for (var key = 0; key < 100; key++) store.Put($"{key:d3}", "1");
        store.DeleteRange(KeyRange.Between("010"u8, "090"u8));
        Assert.Equal(20, store.ReadAll().Split(' ').Length);
        Assert.Equal(4, store.GetStatistics().RangeDeletes);
    }

    [Fact]
    public void A_batch_with_a_range_in_one_shard_is_atomic_and_one_over_several_is_refused()
    {
        using var store = ShardedTestStore.Open(disk, hashedPrefix: 1);
        foreach (var key in new[] { "a1", "a2", "b1" }) store.Put(key, "1");
        var batch = new WriteBatch();
        batch.DeleteRange("a1"u8, "a9"u8);
        batch.Put("a5"u8, "5"u8);
        store.Write(batch);
        Assert.Equal("a5=5 b1=1", store.ReadAll());
        Assert.Equal(1, store.GetStatistics().RangeDeletes);
        batch.Clear();
        batch.DeleteRange("a1"u8, "c1"u8);
        Assert.Throws<CrossShardBatchException>(() => store.Write(batch));
        store.WritePerShard(batch);
        Assert.Equal("", store.ReadAll());
    }

    [Fact]
    public void A_range_that_may_hold_salted_keys_is_refused()
    {
        var options = ShardedTestStore.Small(disk) with { SaltedPrefix = "hot/"u8.ToArray() };
        using var store = ShardedKeyValueStore.Open(TestStore.Directory, options);
        store.Put("hot/1", "1");
        store.Put("i", "1");
        Assert.Throws<NotSupportedException>(() => store.DeleteRange(KeyRange.All));
        store.DeleteRange(KeyRange.From("i"u8));
        Assert.Equal("hot/1=1", store.ReadAll());
    }
}
