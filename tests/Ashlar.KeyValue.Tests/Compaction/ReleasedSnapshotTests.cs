using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>Space that only snapshots needed comes back when they are gone: nobody need write, delete or call anything.</summary>
[Trait("disk", "any")]
public sealed class ReleasedSnapshotTests
{
    const int Keys = 2000;

    [Fact]
    public async Task Old_versions_in_tables_go_when_the_last_snapshot_that_sees_them_has()
    {
        using var store = Open(valueBytes: 100);
        var held = new List<KeyValueSnapshot>();
        for (var round = 0; round < 6; round++)
        {
            Write(store, 100);
            held.Add(store.CreateSnapshot());
        }

        store.Compact(); // No merge is due but for what the snapshots needed.
        var before = store.GetStatistics().TableBytes;
        Assert.True(before > 6 * Keys * 100, "the snapshots keep nothing");
        foreach (var snapshot in held) snapshot.Dispose();
        await Waiting.UntilAsync(() => store.GetStatistics().TableBytes < before / 3, $"{before} bytes of tables stay");
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1000)]
    public async Task What_was_deleted_under_a_snapshot_goes_with_it(int valueBytes)
    {
        using var store = Open(valueBytes);
        Write(store, valueBytes);
        using (store.CreateSnapshot())
        {
            for (var key = 0; key < Keys; key++) store.Delete(TestStore.Bytes($"key{key:d6}"), Durability.Relaxed);
            store.Flush();
        }

        await Waiting.UntilAsync(() => store.GetStatistics().TableEntries == 0, "what was deleted stays");
    }

    static KeyValueStore Open(int valueBytes) => KeyValueStore.Open(
        TestStore.Directory,
        new KeyValueOptions
        {
            FileSystem = TestStore.AnyDisk(),
            MemTableBytes = 64 << 10,
            LogSegmentBytes = 256 << 10,
            SeparatedValueBytes = 256,
        });

    static void Write(KeyValueStore store, int valueBytes)
    {
        for (var key = 0; key < Keys; key++) store.Put($"key{key:d6}", new string('v', valueBytes), Durability.Relaxed);
    }
}
