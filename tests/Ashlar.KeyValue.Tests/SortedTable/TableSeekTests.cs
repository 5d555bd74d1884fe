using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>Where a search begins that falls between two blocks, or between what an index says of them.</summary>
[Trait("disk", "any")]
public sealed class TableSeekTests
{
    readonly IFileSystem disk = TestStore.AnyDisk();
    readonly BlockCache cache = new(1 << 20);

    [Theory, Seeds(count: 20)]
    public void Every_key_is_found_and_every_search_ends_at_the_next_entry(ulong seed)
    {
        var random = new Random((int)seed);
        var entries = Enumerable.Range(0, 300)
            .Select(_ => (Key: RandomKey(random), Sequence: (ulong)random.Next(1, 9)))
            .DistinctBy(entry => (Encoding.UTF8.GetString(entry.Key), entry.Sequence)).ToList();
        entries.Sort((left, right) => EntryOrder.Compare(left.Key, left.Sequence, right.Key, right.Sequence));
        var table = Build(entries);
        var iterator = table.CreateIterator();
        for (var round = 0; round < 2000; round++)
        {
            var (key, sequence) = (RandomKey(random), (ulong)random.Next(0, 9));
            var expected = entries.FindIndex(entry => EntryOrder.Compare(entry.Key, entry.Sequence, key, sequence) >= 0);
            iterator.Seek(key, sequence);
            Assert.Equal(expected >= 0, iterator.IsValid);
            if (expected < 0) continue;
            Assert.Equal(entries[expected].Key, iterator.Key.ToArray());
            Assert.Equal(entries[expected].Sequence, iterator.Sequence);
            iterator.Previous();
            Assert.Equal(expected > 0, iterator.IsValid);
            if (expected > 0) Assert.Equal(entries[expected - 1].Key, iterator.Key.ToArray());
            var slot = cache.Epoch.Enter();
            Assert.Equal(
                entries[expected].Key.AsSpan().SequenceEqual(key),
                table.TryFind(slot, key, KeyHash.Compute(key), sequence, out _, out _));
            cache.Epoch.Exit(slot);
        }

        iterator.Close();
        table.Release();
        cache.Release();
    }

    [Fact]
    public void A_table_of_the_first_version_whose_indexes_name_last_entries_is_read()
    {
        var bytes = Convert.FromHexString(Golden.FirstVersionTable);
        disk.CreateDirectory(TestStore.Directory);
        var files = new StoreFiles(disk, TestStore.Directory) { StoreId = SegmentWriter.StoreId };
        using (var file = disk.Open(files.TablePath(3), FileOpenMode.CreateNew)) file.Write(bytes, 0);
        var info = new TableInfo(
            3, 1, bytes.Length, Golden.FirstVersionTableCrc, 4, 8, 20,
            "key 0 and what is behind it"u8.ToArray(), "key 6"u8.ToArray());
        var table = Table.Open(files, info, cache, new ValueSegments(files, cache));
        Assert.Equal(TableFooter.FirstVersion, table.Footer.Version);
        var found = new List<string>();
        var iterator = table.CreateIterator();
        for (iterator.Seek("key 0"u8, 9); iterator.IsValid; iterator.Next())
            found.Add($"{Encoding.UTF8.GetString(iterator.Key)} {iterator.Sequence} {Encoding.UTF8.GetString(iterator.Value)}");
        Assert.Equal(
            ["key 0 and what is behind it 20 value 0", "key 1 and what is behind it 20 value 1", "key 6 9 newer", "key 6 8 older"], found);
        iterator.Seek("key 1 and what is behind it"u8, 1);
        Assert.Equal("key 6"u8.ToArray(), iterator.Key.ToArray());
        iterator.Close();
        table.Release();
        cache.Release();
    }

    Table Build(List<(byte[] Key, ulong Sequence)> entries)
    {
        disk.CreateDirectory(TestStore.Directory);
        var files = new StoreFiles(disk, TestStore.Directory) { StoreId = SegmentWriter.StoreId };
        using var builder = new TableBuilder(files, 3, blockBytes: 160);
        foreach (var (key, sequence) in entries) builder.Add(key, sequence, EntryKind.Put, "value"u8);
        return Table.Open(files, builder.Finish(1), cache, new ValueSegments(files, cache));
    }

    static byte[] RandomKey(Random random)
    {
        var key = new byte[random.Next(1, 40)];
        for (var at = 0; at < key.Length; at++) key[at] = (byte)('a' + random.Next(2));
        return key;
    }
}
