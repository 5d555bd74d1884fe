using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>Random sequences of everything a user can do with a sharded store, against a dictionary.</summary>
public sealed class ShardedModelTests
{
    [Theory, Seeds(count: 20)]
    public void A_sharded_store_behaves_like_a_sorted_dictionary_through_reopenings_and_power_cuts(ulong seed)
    {
        var random = new SeededRandom(seed);
        var disk = new SimulatedFileSystem();
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var snapshots = new List<(ShardedKeyValueSnapshot Snapshot, string Content)>();
        var shards = random.Next(1, 6);
        var prefix = random.Next(0, 5);
        var store = Open();
        for (var i = 0; i < 250; i++)
        {
            switch (random.Next(30))
            {
                case 0: Close(); store = Open(); break;
                case 1: LosePower(); break;
                case 2: store.Flush(); break;
                case 3: store.Compact(); break;
                case 4 when snapshots.Count < 4: snapshots.Add((store.CreateSnapshot(), Describe(model))); break;
                case 5 when snapshots.Count > 0: CheckSnapshot(); break;
                case 6: Check(); break;
                case < 12: ScanSome(); break;
                case < 16: CheckKey(Key()); break;
                default: Write(); break;
            }
        }

        Check();
        Close();

        void Write()
        {
            var batch = new WriteBatch();
            for (var count = random.Next(1, 6); count > 0; count--)
            {
                var key = Key();
                if (random.OneIn(3))
                {
                    batch.Delete(TestStore.Bytes(key));
                    model.Remove(key);
                }
                else
                {
                    model[key] = $"{random.Next(100_000)}".PadLeft(random.Next(1, 120), 'v');
                    batch.Put(TestStore.Bytes(key), TestStore.Bytes(model[key]));
                }
            }

            var isRelaxed = random.OneIn(3);
            store.WritePerShard(batch, isRelaxed ? Durability.Relaxed : Durability.Sync);
            if (isRelaxed) store.Sync();
        }

        void ScanSome()
        {
            var (start, end) = (Key(), Key());
            if (string.CompareOrdinal(start, end) > 0) (start, end) = (end, start);
            var range = random.OneIn(3)
                ? KeyRange.Prefix(TestStore.Bytes(start[..random.Next(1, start.Length)]))
                : KeyRange.Between(TestStore.Bytes(start), TestStore.Bytes(end));
            var expected = model.Where(pair => range.Contains(TestStore.Bytes(pair.Key)));
            var isBackward = random.OneIn(2);
            if (isBackward) expected = expected.Reverse();
            Equal(
                string.Join(' ', expected.Select(pair => $"{pair.Key}={pair.Value}")),
                store.Scan(range, isBackward ? ScanDirection.Backward : ScanDirection.Forward).ReadAll());
        }

        void CheckSnapshot()
        {
            var index = random.Next(snapshots.Count);
            var (snapshot, content) = snapshots[index];
            Equal(content, snapshot.Scan(KeyRange.All).ReadAll());
            snapshot.Dispose();
            snapshots.RemoveAt(index);
        }

        void Check()
        {
            Equal(Describe(model), store.ReadAll());
            Assert.Empty(store.Verify().Problems);
        }

        void LosePower()
        {
            var after = disk.LosePower(random.NextUInt64());
            Close();
            disk = after;
            store = Open();
            Check();
        }

        void Close()
        {
            foreach (var (snapshot, _) in snapshots) snapshot.Dispose();
            snapshots.Clear();
            store.Dispose();
        }

        void CheckKey(string key) => Equal(model.GetValueOrDefault(key), store.Get(key));

        string Key() => $"key{random.Next(3)}/{random.Next(12):d2}";

        ShardedKeyValueStore Open() => ShardedKeyValueStore.Open(TestStore.Directory, new()
        {
            ShardCount = random.OneIn(2) || !ShardedKeyValueStore.IsSharded(TestStore.Directory, disk) ? shards : null,
            HashedPrefixBytes = prefix,
            OneByOne = true,
            Store = TestStore.Small(disk) with
            {
                Entropy = new SeededEntropy(random.NextUInt64()),
                MemTableBytes = 2500,
                TableBytes = 1024,
                BlockBytes = 256,
                LevelZeroTables = 2,
                LogChunkBytes = 2048,
            },
        });

        void Equal(string? expected, string? found) =>
            Assert.True(expected == found, $"seed {seed}\nexpected {expected}\nfound    {found}");
    }

    static string Describe(SortedDictionary<string, string> content) =>
        string.Join(' ', content.Select(pair => $"{pair.Key}={pair.Value}"));
}
