using Ashlar.Simulation;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>Power cuts at every point of creating a sharded store.</summary>
public sealed class CreationCrashTests
{
    const string Directory = "/data/store";
    const int Shards = 3;

    [Fact]
    public void A_creation_that_was_cut_off_is_begun_again_also_with_another_number_of_shards()
    {
        var disk = new SimulatedFileSystem();
        disk.CreateDirectory("/data");
        disk.SyncDirectory("/");
        Open(disk, 1, Shards).Dispose();
        var unfinished = 0;
        foreach (var shards in (int[])[1, 2, 3, 5])
        {
            CrashExplorer.Explore(
                disk,
                state =>
                {
                    var isThere = ShardedKeyValueStore.IsSharded(Directory, state.Disk);
                    if (!isThere) unfinished++;
                    using (var store = Open(state.Disk, state.Seed, isThere ? null : shards))
                    {
                        state.RecoveryDone();
                        if (store.ShardCount != (isThere ? Shards : shards))
                            throw new InvalidOperationException($"{store.ShardCount} shards");
                        for (var i = 0; i < 20; i++) store.Put($"{i}", "x");
                    }

                    using var reopened = Open(state.Disk, state.Seed, null);
                    if (reopened.ReadAll().Split(' ').Length != 20) throw new InvalidOperationException("Writes are lost.");
                },
                new CrashExplorerOptions { Seed = 1, StateBudget = 600, NestedOneIn = 0 });
        }

        Assert.True(unfinished > 100, $"only {unfinished} states before the store was there");
    }

    static ShardedKeyValueStore Open(SimulatedFileSystem disk, ulong seed, int? shards) => ShardedKeyValueStore.Open(
        Directory,
        new()
        {
            ShardCount = shards,
            HashedPrefixBytes = shards is null ? null : 1,
            OneByOne = true,
            Store = TestStore.Tiny(disk, seed) with { SpaceReserveBytes = null },
        });
}
