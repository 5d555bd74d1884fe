using Ashlar.Simulation;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>A process died, or its sync failed, between creating a sharded store and making its names durable; the next one writes to it.</summary>
public sealed class ForgottenNameTests
{
    const string Directory = "/a/b/store";

    [Fact]
    public void What_is_written_to_a_store_outlives_power_loss_whenever_its_creation_was_interrupted()
    {
        for (var nth = 1; ; nth++)
        {
            var disk = new SimulatedFileSystem();
            var faulty = new FaultyFileSystem(disk);
            var rule = new FaultRule(FaultOperations.SyncDirectory, FaultKind.InputOutputError) { Nth = nth };
            faulty.Add(rule);
            TryOpen(faulty);
            if (faulty.CountFired(rule) == 0) break;
            faulty.Heal();
            Put(faulty, "key");
            for (var seed = 1UL; seed <= 20; seed++)
            {
                Put(disk.LosePower(seed), "more");
                using var store = ShardedKeyValueStore.Open(Directory, ShardedTestStore.Small(disk.LosePower(seed), shards: null));
                Assert.True(store.Get("key") == "1", $"sync {nth}, seed {seed}");
            }
        }
    }

    static void TryOpen(FaultyFileSystem disk)
    {
        try
        {
            ShardedKeyValueStore.Open(Directory, ShardedTestStore.Small(disk, shards: 2)).Dispose();
        }
        catch (Storage.StorageException)
        {
            // Here it died.
        }
    }

    static void Put(Storage.IFileSystem disk, string key)
    {
        using var store = ShardedKeyValueStore.Open(Directory, ShardedTestStore.Small(disk, shards: 2));
        store.Put(key, "1");
    }
}
