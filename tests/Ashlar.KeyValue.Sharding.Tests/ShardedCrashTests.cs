using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>Power cuts at every point of creating, writing and reopening a sharded store.</summary>
public sealed class ShardedCrashTests(ITestOutputHelper output)
{
    const string Directory = "/data/store";
    const int Shards = 3;

    [Theory, Seeds(count: 4)]
    public void A_power_cut_at_any_moment_leaves_every_shard_with_all_that_was_promised(ulong seed)
    {
        var random = new SeededRandom(seed);
        var contents = new List<string> { "" };
        var disk = new SimulatedFileSystem();
        disk.CreateDirectory("/data");
        disk.SyncDirectory("/");
        var model = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var store = Open(disk, seed, Shards);
        for (var step = 1; step <= 40; step++)
        {
            if (random.OneIn(8))
            {
                store.Dispose();
                store = Open(disk, seed + (ulong)step, null);
            }

            if (random.OneIn(8)) store.Compact();
            // Keys of one batch share the hashed byte, so the batch is atomic.
            var batch = new WriteBatch();
            var prefix = (char)('a' + random.Next(6));
            for (var count = random.Next(1, 4); count > 0; count--)
            {
                var key = $"{prefix}{random.Next(4)}";
                if (random.OneIn(4))
                {
                    batch.Delete(TestStore.Bytes(key));
                    model.Remove(key);
                }
                else
                {
                    batch.Put(TestStore.Bytes(key), TestStore.Bytes($"{step}"));
                    model[key] = step;
                }
            }

            contents.Add(string.Join(' ', model.Select(pair => $"{pair.Key}={pair.Value}")));
            disk.Mark(new Begun(step));
            store.Write(batch);
            disk.Mark(new Promised(step));
        }

        store.Dispose();
        var options = new CrashExplorerOptions { Seed = seed, StateBudget = 1200, NestedOneIn = 20, NestedBudget = 10 };
        var result = CrashExplorer.Explore(disk, state => Check(state, contents), options);
        output.WriteLine($"seed {seed}: {result}");
        Assert.True(result.Distinct >= 500 || options.Replay is not null, $"only {result}");
        Assert.True(result.Nested > 50 || options.Replay is not null, $"only {result}");
    }

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
                        if (store.ShardCount != (isThere ? Shards : shards)) throw new InvalidOperationException($"{store.ShardCount} shards");
                        for (var i = 0; i < 20; i++) store.Put($"{i}", "x");
                    }

                    using var reopened = Open(state.Disk, state.Seed, null);
                    if (reopened.ReadAll().Split(' ').Length != 20) throw new InvalidOperationException("Writes are lost.");
                },
                new CrashExplorerOptions { Seed = 1, StateBudget = 600, NestedOneIn = 0 });
        }

        Assert.True(unfinished > 100, $"only {unfinished} states before the store was there");
    }

    static void Check(CrashState state, List<string> contents)
    {
        var promised = state.Marks.OfType<Promised>().Select(mark => mark.Step).DefaultIfEmpty(0).Max();
        var begun = state.Marks.OfType<Begun>().Select(mark => mark.Step).DefaultIfEmpty(0).Max();
        string found;
        using (var store = Open(state.Disk, state.Seed, null))
        {
            state.RecoveryDone();
            found = store.ReadAll();
            if (found != contents[promised] && found != contents[begun])
                throw new InvalidOperationException($"Promised {contents[promised]}\nBegun {contents[begun]}\nFound {found}");
            if (store.Verify().Problems is [var problem, ..]) throw problem;
            store.Put("a0", "1000");
        }

        using var again = Open(state.Disk, state.Seed, null);
        if (again.Get("a0") != "1000") throw new InvalidOperationException("A write after recovery is lost.");
    }

    static ShardedKeyValueStore Open(SimulatedFileSystem disk, ulong seed, int? shards) => ShardedKeyValueStore.Open(
        Directory,
        new()
        {
            ShardCount = shards,
            HashedPrefixBytes = shards is null ? null : 1,
            OneByOne = true,
            Store = TestStore.Small(disk) with
            {
                Entropy = new SeededEntropy(seed),
                MemTableBytes = seed % 2 == 0 ? 1500 : 4000,
                SeparatedValueBytes = (seed / 2 % 4) switch { 0 => 0, 1 => 60, 2 => 256, _ => int.MaxValue },
                LogSegmentBytes = seed % 3 == 0 ? 1 << 20 : 1500,
                SpaceAmplification = 1.1,
                TableBytes = 1024,
                BlockBytes = 256,
                LogChunkBytes = 2048,
                ManifestRewriteBytes = 400,
                LevelZeroTables = 2,
                RelaxedLossBytes = 4096,
                SpaceReserveBytes = null,
            },
        });
}
