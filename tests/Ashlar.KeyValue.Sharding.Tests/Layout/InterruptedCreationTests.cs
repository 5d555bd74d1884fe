using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Tests;

public sealed class InterruptedCreationTests
{
    const string Directory = "/a/b/store";

    [Fact]
    public void What_is_written_to_a_sharded_store_outlives_power_loss_whenever_its_creation_was_interrupted()
    {
        var interrupted = InterruptedCreation.Sweep(
            disk => Open(disk).Dispose(),
            (disk, key) =>
            {
                using var store = Open(disk);
                store.Put(key, "1");
            },
            (disk, key) =>
            {
                using var store = Open(disk, shards: null);
                return store.Get(key) == "1";
            });
        Assert.True(interrupted >= 6, $"only {interrupted} syncs of directories");
    }

    static ShardedKeyValueStore Open(IFileSystem disk, int? shards = 2) =>
        ShardedKeyValueStore.Open(Directory, ShardedTestStore.Small(disk, shards));
}
