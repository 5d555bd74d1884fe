using Ashlar.Simulation;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>Stores with shards have no keyspaces, and do not take entries of them for others.</summary>
public sealed class KeyspaceEntryTests
{
    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_batch_with_entries_of_a_keyspace_is_refused_as_a_whole(bool isSalted)
    {
        using var other = KeyValueStore.Open("/other", TestStore.Small(disk));
        var users = other.OpenKeyspace("users");
        using var store = ShardedKeyValueStore.Open(
            TestStore.Directory, ShardedTestStore.Small(disk) with { SaltedPrefix = isSalted ? "hot/"u8.ToArray() : default });
        var batch = new WriteBatch();
        if (isSalted) batch.Put("hot/1"u8, "1"u8);
        for (var key = 0; key < 20; key++) batch.Put(TestStore.Bytes($"{key:d2}"), "1"u8);
        batch.Put(users, "a"u8, "1"u8);
        Assert.Throws<ArgumentException>(() => store.WritePerShard(batch));
        await Assert.ThrowsAsync<ArgumentException>(() => store.WritePerShardAsync(batch));
        batch.Clear();
        if (isSalted) batch.Put("hot/1"u8, "1"u8);
        batch.DeleteRange(users, KeyRange.All);
        Assert.Throws<ArgumentException>(() => store.Write(batch));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.WriteAsync(batch));
        Assert.Throws<ArgumentException>(() => store.WritePerShard(batch));
        Assert.Equal("", store.ReadAll());
    }
}
