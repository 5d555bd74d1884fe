using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>A process died, or its sync failed, between creating a store and making its names durable; the next one writes to it.</summary>
public sealed class ForgottenNameTests
{
    [Theory, InlineData(true), InlineData(false)]
    public void What_is_written_to_a_store_outlives_power_loss_whenever_its_creation_was_interrupted(bool isSharded)
    {
        for (var nth = 1; ; nth++)
        {
            var disk = new SimulatedFileSystem();
            var faulty = new FaultyFileSystem(disk);
            var rule = new FaultRule(FaultOperations.SyncDirectory, FaultKind.InputOutputError) { Nth = nth };
            faulty.Add(rule);
            TryOpen(faulty, isSharded);
            if (faulty.CountFired(rule) == 0) break;
            faulty.Heal();
            using (Open(faulty, isSharded, out var put)) put("key", "1");
            for (var seed = 1UL; seed <= 20; seed++)
            {
                using (Open(disk.LosePower(seed), isSharded, out var put)) put("more", "1");
                Assert.True(Holds(disk.LosePower(seed), isSharded), $"sync {nth}, seed {seed}");
            }
        }
    }

    static void TryOpen(FaultyFileSystem disk, bool isSharded)
    {
        try
        {
            Open(disk, isSharded, out _).Dispose();
        }
        catch (Storage.StorageException)
        {
            // Here it died.
        }
    }

    static bool Holds(SimulatedFileSystem disk, bool isSharded)
    {
        if (!isSharded)
        {
            using var store = KeyValueStore.Open("/a/b/store", TestStore.Small(disk));
            return store.Get("key") == "1";
        }

        using var sharded = ShardedKeyValueStore.Open("/a/b/store", ShardedTestStore.Small(disk, shards: null));
        return sharded.Get("key") == "1";
    }

    static IDisposable Open(Storage.IFileSystem disk, bool isSharded, out Action<string, string> put)
    {
        if (isSharded)
        {
            var sharded = ShardedKeyValueStore.Open("/a/b/store", ShardedTestStore.Small(disk, shards: 2));
            put = (key, value) => sharded.Put(key, value);
            return sharded;
        }

        var store = KeyValueStore.Open("/a/b/store", TestStore.Small(disk));
        put = (key, value) => store.Put(key, value);
        return store;
    }
}
