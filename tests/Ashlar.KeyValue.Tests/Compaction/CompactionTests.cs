using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

[Trait("disk", "any, slow")]
public sealed class CompactionTests
{
    static KeyValueOptions Deep(IFileSystem disk) =>
        TestStore.Small(disk) with { MemTableBytes = 1024, TableBytes = 1024, LogChunkBytes = 1024, LevelZeroTables = 2 };

    [Fact]
    public void Data_sinks_to_deeper_levels_and_stays_readable()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Deep(TestStore.AnyDisk()));
        var random = new SeededRandom(4);
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < 6000; i++)
        {
            var key = $"{random.Next(100_000):d6}";
            model[key] = $"{i}".PadLeft(30, 'x');
            store.Put(key, model[key], Durability.Relaxed);
        }

        var levels = store.GetStatistics().TablesPerLevel;
        Assert.True(levels[2] > 0 && levels[3] > 0, string.Join(',', levels));
        Assert.Equal(string.Join(' ', model.Select(pair => $"{pair.Key}={pair.Value}")), store.ReadAll());
        Assert.All(model, pair => Assert.Equal(pair.Value, store.Get(pair.Key)));
        Assert.Empty(store.Verify().Problems);
    }

    [Fact]
    public void Deleted_keys_stay_deleted_while_tombstones_sink_past_their_keys()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Deep(TestStore.AnyDisk()));
        for (var i = 0; i < 1500; i++) store.Put($"{i:d6}", new string('x', 30), Durability.Relaxed);
        for (var i = 0; i < 1500; i += 2) store.Delete(TestStore.Bytes($"{i:d6}"), Durability.Relaxed);
        for (var i = 10_000; i < 11_500; i++) store.Put($"{i:d6}", new string('x', 30), Durability.Relaxed);
        for (var i = 0; i < 1500; i++) Assert.Equal(i % 2 == 0, store.Get($"{i:d6}") is null);
        store.Compact();
        Assert.Equal(2250, store.GetStatistics().TableEntries);
    }

    [Fact]
    public void All_versions_of_a_key_stay_in_one_table_of_a_level()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Deep(TestStore.AnyDisk()));
        var snapshots = new List<KeyValueSnapshot>();
        for (var i = 0; i < 100; i++)
        {
            store.Put("same", $"{i}".PadLeft(100));
            snapshots.Add(store.CreateSnapshot());
        }

        store.Compact();
        Assert.Equal(100, store.GetStatistics().TableEntries);
        Assert.Equal(1, store.GetStatistics().TablesPerLevel.Sum());
        for (var i = 0; i < 100; i++) Assert.Equal($"{i}".PadLeft(100), snapshots[i].Get("same"));
        snapshots.ForEach(snapshot => snapshot.Dispose());
    }

    [Fact]
    public void What_is_overwritten_between_snapshots_goes_and_what_they_read_stays() => Assert.Equal(0, WrongReadsOfSnapshots());

    [Fact]
    public void A_planted_bug_that_forgets_snapshots_is_noticed() =>
        Assert.NotEqual(0, PlantedBugs.ForgetSnapshotsButTheOldest.Run(WrongReadsOfSnapshots));

    static int WrongReadsOfSnapshots()
    {
        const int Keys = 100, Rounds = 20;
        using var store = KeyValueStore.Open(TestStore.Directory, Deep(TestStore.AnyDisk()));
        var snapshots = new List<(KeyValueSnapshot Snapshot, int Round)>();
        for (var round = 0; round < Rounds; round++)
        {
            for (var key = 0; key < Keys; key++) store.Put($"{key:d6}", $"{round}", Durability.Relaxed);
            if (round is 3 or 9 or 11) snapshots.Add((store.CreateSnapshot(), round));
        }

        store.Compact();
        Assert.InRange(store.GetStatistics().TableEntries, 1, Keys * (snapshots.Count + 1));
        var wrong = 0;
        foreach (var (snapshot, round) in snapshots)
        {
            for (var key = 0; key < Keys; key++) wrong += snapshot.Get($"{key:d6}") == $"{round}" ? 0 : 1;
            snapshot.Dispose();
        }

        for (var key = 0; key < Keys; key++) Assert.Equal($"{Rounds - 1}", store.Get($"{key:d6}"));
        return wrong;
    }

    [Fact]
    public void Writers_are_held_back_before_level_zero_grows_without_bound()
    {
        var disk = TestStore.AnyDisk();
        var options = TestStore.Small(disk, inline: false) with { MemTableBytes = 2048, LogChunkBytes = 1024 };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        for (var i = 0; i < 5000; i++)
        {
            store.Put($"{i * 7919 % 5000:d6}", new string('x', 100), Durability.Relaxed);
            if (i % 50 != 0) continue;
            var statistics = store.GetStatistics();
            var levelZero = statistics.TablesPerLevel[0];
            Assert.True(levelZero <= (WriteDebt.MaxLevelZero * 4) + 3, $"{levelZero} tables in level 0");
            Assert.True(statistics.ImmutableMemTables <= 2);
        }
    }
}
