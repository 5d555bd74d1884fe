using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Keys of thousands of bytes, of which a block holds one.</summary>
[Trait("disk", "any")]
public sealed class LongKeyTests
{
    const int KeyBytes = 4000;
    const int ValueBytes = 16;
    const int Keys = 400;

    [Theory]
    [InlineData(0)] // Keys that differ in their first bytes,
    [InlineData(KeyBytes - 8)] // and in their last ones.
    public void Files_are_little_more_than_the_data(int sharedBytes)
    {
        var disk = TestStore.AnyDisk();
        using (var store = Filled(disk, sharedBytes))
        {
            var tables = disk.List(TestStore.Directory).Where(path => path.Contains("table-", StringComparison.Ordinal));
            var bytes = tables.Sum(path => LengthOf(disk, $"{TestStore.Directory}/{Path.GetFileName(path)}"));
            Assert.InRange((double)bytes / (Keys * (KeyBytes + ValueBytes)), 0.9, 1.3);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(KeyBytes - 8)]
    public void A_get_reads_little_but_the_data_block_where_a_tenth_of_the_data_finds_room_in_memory(int sharedBytes)
    {
        using var store = Filled(TestStore.AnyDisk(), sharedBytes);
        var value = new byte[ValueBytes];
        for (var number = 0; number < Keys; number++) Assert.True(store.TryGet(Key(number, sharedBytes), value, out _));
        var before = store.Cache.Misses;
        for (var number = 0; number < Keys; number++)
        {
            Assert.True(store.TryGet(Key(number, sharedBytes), value, out _));
            Assert.Equal(number, BinaryPrimitives.ReadInt32BigEndian(value));
        }

        Assert.InRange(store.Cache.Misses - before, 0, Keys + (Keys / 16)); // An index block has 16 entries at least.
    }

    [Fact]
    public void An_absent_key_is_not_looked_for_in_the_data()
    {
        using var store = Filled(TestStore.AnyDisk(), sharedBytes: 0);
        for (var number = 0; number < Keys; number++) Assert.Null(store.Get(Absent(number)));
        var before = store.Cache.Misses;
        for (var number = 0; number < Keys; number++) Assert.Null(store.Get(Absent(number)));
        Assert.InRange(store.Cache.Misses - before, 0, Keys / 20); // What passes the filter.
    }

    static KeyValueStore Filled(IFileSystem disk, int sharedBytes)
    {
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with
        {
            MemTableBytes = 1 << 20,
            TableBytes = 1 << 20,
            BlockBytes = 4096,
            BlockCacheBytes = Keys * KeyBytes / 10,
        });
        var value = new byte[ValueBytes];
        foreach (var number in Enumerable.Range(0, Keys).OrderBy(number => number * 7919 % Keys))
        {
            BinaryPrimitives.WriteInt32BigEndian(value, number);
            store.Put(Key(number, sharedBytes), value, Durability.Relaxed);
        }

        store.Compact();
        return store;
    }

    static byte[] Key(int number, int sharedBytes)
    {
        var key = new byte[KeyBytes];
        new Random(number + 1).NextBytes(key);
        key.AsSpan(0, sharedBytes).Fill((byte)'k');
        BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(sharedBytes), number * 100);
        return key;
    }

    static byte[] Absent(int number)
    {
        var key = Key(number, 0);
        key[3]++;
        return key;
    }

    static long LengthOf(IFileSystem disk, string path)
    {
        using var file = disk.Open(path, FileOpenMode.ReadOnly);
        return file.LengthBytes;
    }
}
