using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Segments with much garbage are given up; what of them is live moves, with its key and sequence.</summary>
[Trait("disk", "any, slow")]
public sealed class ValueCollectionTests
{
    readonly IFileSystem disk = TestStore.AnyDisk();

    KeyValueOptions Options() => TestStore.Small(disk) with
    {
        SeparatedValueBytes = 100,
        MemTableBytes = 4 << 10,
        LogSegmentBytes = 32 << 10,
        LogChunkBytes = 4 << 10,
        SpaceAmplification = 1.5,
    };

    static string Value(int number) => $"{number}".PadLeft(1000, 'v');

    long ValueBytesOnDisk() => disk.List(TestStore.Directory).Where(name => name.StartsWith("log-", StringComparison.Ordinal)).Sum(name =>
    {
        using var file = disk.Open($"{TestStore.Directory}/{name}", FileOpenMode.ReadOnly);
        return file.LengthBytes;
    });

    [Fact]
    public void Overwriting_for_ever_takes_bounded_space()
    {
        const int Keys = 1000;
        using var store = KeyValueStore.Open(TestStore.Directory, Options());
        var model = OverwriteAtRandom(store, Keys, 12 * Keys);
        var live = Keys * (9.0 + 1000);
        var statistics = store.GetStatistics();
        Assert.True(statistics.MovedValueBytes > 0);
        Assert.True(ValueBytesOnDisk() < 1.8 * live, $"{ValueBytesOnDisk() / live:f2} bytes on disk per live byte");
        var written = statistics.LogBytesWritten + statistics.TableBytesWritten + statistics.MovedValueBytes;
        var put = 12 * live;
        Assert.True(
            written < 4.5 * put,
            $"{statistics.LogBytesWritten / put:f2} log, {statistics.TableBytesWritten / put:f2} tables, "
            + $"{statistics.MovedValueBytes / put:f2} moved per byte put");
        foreach (var (key, number) in model) Assert.Equal(Value(number), store.Get($"key{key:d6}"));
        Assert.Empty(store.Verify().Problems);
    }

    [Fact]
    public void Deleting_most_of_a_store_gives_its_space_back()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options());
        for (var round = 0; round < 6; round++)
        {
            for (var i = 0; i < 800; i++) store.Put($"key{i:d6}", Value(i), Durability.Relaxed);
            for (var i = 0; i < 800; i++)
            {
                if (i % 10 != 0) store.Delete(TestStore.Bytes($"key{i:d6}"), Durability.Relaxed);
            }
        }

        store.Compact();
        Assert.True(ValueBytesOnDisk() < 3 * 80 * 1009, $"{ValueBytesOnDisk()} bytes for {80 * 1009} live ones");
        for (var i = 0; i < 800; i++) Assert.Equal(i % 10 == 0 ? Value(i) : null, store.Get($"key{i:d6}"));
        Assert.Empty(store.Verify().Problems);
    }

    [Fact]
    public void Snapshots_and_cursors_read_what_they_saw_while_values_move()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options());
        for (var i = 0; i < 300; i++) store.Put($"key{i:d6}", Value(i), Durability.Relaxed);
        store.Flush();
        using var cursor = store.Scan(KeyRange.All);
        using (var snapshot = store.CreateSnapshot())
        {
            for (var i = 0; i < 1000; i++) store.Put($"key{i * 7 % 300:d6}", Value(1000 + i), Durability.Relaxed);
            for (var i = 0; i < 300; i++) Assert.Equal(Value(i), snapshot.Get($"key{i:d6}"));
        }

        OverwriteAtRandom(store, 300, 4000);
        Assert.True(store.GetStatistics().MovedValueBytes > 0);
        for (var i = 0; i < 300; i++)
        {
            Assert.True(cursor.MoveNext());
            Assert.Equal(TestStore.Bytes(Value(i)), cursor.Value.ToArray());
        }
    }

    [Fact]
    public void What_newer_entries_above_shadow_is_dropped_instead_of_moved_unless_a_snapshot_sees_it() =>
        Assert.Equal(0, WrongReadsOfSnapshots());

    [Fact]
    public void A_planted_bug_that_drops_what_a_snapshot_sees_is_noticed() =>
        Assert.NotEqual(0, PlantedBugs.DropShadowedUnderSnapshot.Run(static () => new ValueCollectionTests().WrongReadsOfSnapshots()));

    int WrongReadsOfSnapshots()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options());
        var random = new SeededRandom(7);
        var model = new Dictionary<int, int>();
        var wrong = 0;
        for (var round = 0; round < 8; round++)
        {
            using var snapshot = store.CreateSnapshot();
            var seen = new Dictionary<int, int>(model);
            for (var i = 0; i < 2500; i++)
            {
                var key = random.Next(1000);
                model[key] = (round * 10_000) + i;
                store.Put($"key{key:d6}", Value(model[key]), Durability.Relaxed);
            }

            foreach (var (key, number) in seen) wrong += snapshot.Get($"key{key:d6}") == Value(number) ? 0 : 1;
        }

        Assert.True(store.GetStatistics().MovedValueBytes > 0);
        foreach (var (key, number) in model) Assert.Equal(Value(number), store.Get($"key{key:d6}"));
        return wrong;
    }

    [Fact]
    public void The_share_that_is_live_is_estimated_from_a_sample()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options() with { SpaceAmplification = 100 });
        OverwriteAtRandom(store, 1000, 4000);
        store.Flush();
        var version = store.State.Acquire();
        var referred = version.Tables.All().Sum(LiveEstimate.ReferredBytes);
        var estimate = LiveEstimate.Of(store.State, version.Tables).ValueBytes;
        version.Release();
        var live = 1000 * (9.0 + 1000);
        Assert.True(referred > 1.1 * live, $"nothing to estimate: {referred / live:f2} referred to per live byte");
        Assert.InRange(estimate / live, 0.9, 1.1);
    }

    [Fact]
    public void Stale_values_that_only_deep_tables_refer_to_are_given_up_once_no_reader_needs_them()
    {
        const int Keys = 1000;
        const double Live = Keys * (9.0 + 1000);
        // No merge is due by itself. All segments look live: the deep tables refer to the old values, those above to the new.
        using var store = KeyValueStore.Open(TestStore.Directory, Options() with { LevelZeroTables = 1000 });
        for (var i = 0; i < Keys; i++) store.Put($"key{i:d6}", Value(i), Durability.Relaxed);
        store.Compact();
        using (store.CreateSnapshot())
        {
            for (var i = 0; i < Keys; i++) store.Put($"key{i:d6}", Value(i + 1), Durability.Relaxed);
            store.Flush();
            var merges = store.GetStatistics().Compactions;
            store.Put("one more", "1");
            store.Flush();
            Assert.Equal(merges, store.GetStatistics().Compactions); // They would keep all that the snapshot sees.
            Assert.True(ValueBytesOnDisk() > 1.9 * Live, $"{ValueBytesOnDisk() / Live:f2} bytes on disk per live byte");
        }

        store.Put("and one", "1");
        store.Flush();
        Assert.True(ValueBytesOnDisk() < 1.6 * Live, $"{ValueBytesOnDisk() / Live:f2} bytes on disk per live byte");
        for (var i = 0; i < Keys; i++) Assert.Equal(Value(i + 1), store.Get($"key{i:d6}"));
    }

    [Fact]
    public void A_moved_value_keeps_its_sequence_and_is_found_again_after_reopening()
    {
        Dictionary<int, int> model;
        using (var store = KeyValueStore.Open(TestStore.Directory, Options()))
        {
            model = OverwriteAtRandom(store, 300, 4000);
            Assert.True(store.GetStatistics().MovedValueBytes > 0);
        }

        using var again = KeyValueStore.Open(TestStore.Directory, Options());
        var report = again.Verify();
        Assert.Empty(report.Problems);
        foreach (var (key, number) in model) Assert.Equal(Value(number), again.Get($"key{key:d6}"));
    }

    // At random, so that every segment keeps something live: in turns, segments would go without anything being moved.
    static Dictionary<int, int> OverwriteAtRandom(KeyValueStore store, int keys, int count)
    {
        var random = new SeededRandom(6);
        var model = new Dictionary<int, int>();
        for (var i = 0; i < count; i++)
        {
            var key = i < keys ? i : random.Next(keys);
            model[key] = i;
            store.Put($"key{key:d6}", Value(i), Durability.Relaxed);
        }

        return model;
    }
}
