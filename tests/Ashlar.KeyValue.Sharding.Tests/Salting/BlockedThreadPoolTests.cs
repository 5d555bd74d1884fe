using Ashlar.TestKit;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>Whoever shares the process may block every thread of the .NET thread pool: writes of salted keys go on all the same.</summary>
[Collection(nameof(BlockedThreadPoolTests)), CollectionDefinition(nameof(BlockedThreadPoolTests), DisableParallelization = true)]
public sealed class BlockedThreadPoolTests
{
    const int Threads = 4, Rounds = 50;

    [Fact]
    public void Writes_of_salted_keys_complete_while_the_thread_pool_is_blocked()
    {
        using var store = ShardedKeyValueStore.Open(
            TestStore.Directory,
            ShardedTestStore.Small(TestStore.NewDisk(), shards: 2, inline: false) with { SaltedPrefix = "hot/"u8.ToArray() });
        using var pool = new BlockedThreadPool(isFrozen: true);
        var threads = Enumerable.Range(0, Threads).Select(number => new Thread(() => WriteMany(store, number))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.False(pool.HasRunMore);
        Assert.Equal(Threads * Rounds, Enumerable.Range(0, 2).Sum(shard => (long)store.GetStatistics(shard).LastSequence));
    }

    static void WriteMany(ShardedKeyValueStore store, int thread)
    {
        for (var i = 0; i < Rounds; i++)
        {
            var batch = new WriteBatch();
            batch.Put("hot/key"u8, TestStore.Bytes($"{thread} {i}"));
            using var done = new ManualResetEventSlim();
            _ = WriteThenSetAsync(store, batch, done);
            done.Wait();
        }
    }

    static async Task WriteThenSetAsync(ShardedKeyValueStore store, WriteBatch batch, ManualResetEventSlim done)
    {
        await store.WriteAsync(batch);
        done.Set();
    }
}
