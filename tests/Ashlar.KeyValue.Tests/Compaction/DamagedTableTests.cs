using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A damaged table stops what needs it, and nothing else.</summary>
[Trait("disk", "any")]
public sealed class DamagedTableTests
{
    [Fact]
    public void A_compaction_that_met_damage_does_not_keep_others_from_writing()
    {
        var disk = TestStore.AnyDisk();
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)))
        {
            for (var round = 0; round < 2; round++)
            {
                for (var i = 0; i < 20; i++) store.Put($"a{i:d2}", "x");
                store.Flush();
            }

            store.Compact();
        }

        var files = StoreImage.Take(disk);
        files.Files[files.Only("table-")][5] ^= 1;
        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(files.ToDisk()));
        reopened.Put("z", "x");
        Assert.Throws<CorruptDataException>(reopened.Compact);
        for (var i = 0; i < 3000; i++) reopened.Put($"z{i:d6}", new string('x', 200));
        Assert.True(reopened.GetStatistics().Compactions > 0);
        Assert.Throws<CorruptDataException>(reopened.Compact); // Whoever asks again is told again.
    }

    [Fact]
    public void With_threads_whoever_asked_for_the_compaction_is_told()
    {
        var disk = TestStore.AnyDisk();
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)))
        {
            for (var i = 0; i < 20; i++) store.Put($"a{i:d2}", "x");
            store.Compact();
        }

        var files = StoreImage.Take(disk);
        files.Files[files.Only("table-")][5] ^= 1;
        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(files.ToDisk(), inline: false));
        for (var round = 0; round < 3; round++)
        {
            reopened.Put("z", "x");
            Assert.Throws<CorruptDataException>(reopened.Compact);
        }

        reopened.Flush();
    }

    // No merge reads filters; what estimates how much is live does.
    [Fact]
    public void A_damaged_filter_does_not_keep_merges_from_going_on()
    {
        var disk = TestStore.AnyDisk();
        var filters = new List<(ulong Table, long Offset)>();
        using (var store = KeyValueStore.Open(TestStore.Directory, Options(disk)))
        {
            for (var i = 0; i < 1000; i++) store.Put($"key{i:d6}", $"{i}".PadLeft(1000, 'v'), Durability.Relaxed);
            store.Compact();
            var version = store.State.Acquire();
            using (var read = store.State.Read())
            {
                foreach (var table in version.Tables.All())
                {
                    var top = table.Root(read.Slot);
                    for (var i = 0; i < top.Count; i++) filters.Add((table.Info.Id, table.PartitionAt(top, i).Filter.Offset));
                }
            }

            version.Release();
        }

        var files = StoreImage.Take(disk);
        foreach (var (table, offset) in filters) files.Files[StoreFiles.TableName(table)][offset + 3] ^= 1;
        Assert.NotEmpty(filters);
        using var reopened = KeyValueStore.Open(TestStore.Directory, Options(files.ToDisk()));
        var random = new SeededRandom(6);
        for (var i = 0; i < 6000; i++) reopened.Put($"key{random.Next(1000):d6}", $"{i}".PadLeft(1000, 'v'), Durability.Relaxed);
        Assert.True(reopened.GetStatistics().Compactions > 20);
    }

    static KeyValueOptions Options(IFileSystem disk) => TestStore.Small(disk) with
    {
        SeparatedValueBytes = 100,
        MemTableBytes = 4 << 10,
        LogSegmentBytes = 32 << 10,
        LogChunkBytes = 4 << 10,
        SpaceAmplification = 1.5,
    };
}
