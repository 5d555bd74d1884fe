using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Values of segments share the memory of blocks.</summary>
[Trait("disk", "any")]
public sealed class ValueCacheTests
{
    const int BudgetBytes = 256 << 10;

    readonly IFileSystem disk = TestStore.AnyDisk();

    KeyValueOptions Options => TestStore.Small(disk) with { SeparatedValueBytes = 100, MemTableBytes = 1 << 20 };

    [Fact]
    public void A_value_is_read_once_then_found_in_memory_and_damage_is_found_by_the_next_who_reads_it()
    {
        var expected = Text(1);
        using (var store = KeyValueStore.Open(TestStore.Directory, Options))
        {
            store.Put("a", expected);
            store.Flush();
            Assert.Equal(expected, store.Get("a"));
            Assert.Equal((0, 1), HitsAndMisses(store));
            Damage();
            Assert.Equal(expected, store.Get("a"));
            var whole = new byte[expected.Length];
            Assert.True(store.TryGet("a"u8, whole, out _));
            Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(whole));
            Assert.Equal($"a={expected}", store.ReadAll());
            Assert.Equal($"a={expected}", store.ReadAll(ScanDirection.Backward));
            Assert.Equal((4, 1), HitsAndMisses(store));
        }

        using var again = KeyValueStore.Open(TestStore.Directory, Options);
        for (var i = 0; i < 2; i++)
        {
            Assert.Throws<CorruptDataException>(() => again.Get("a"));
            Assert.Throws<CorruptDataException>(() => again.ReadAll());
        }

        Assert.Equal(0, HitsAndMisses(again).Hits);
    }

    [Fact]
    public void What_a_scan_reads_the_next_one_finds()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options);
        for (var i = 0; i < 50; i++) store.Put($"key{i * 29 % 50:d2}", Text(i * 29 % 50, 2000), Durability.Relaxed);
        store.Flush();
        var first = store.ReadAll();
        var missed = HitsAndMisses(store).Misses;
        Assert.Equal(first, store.ReadAll());
        Assert.Equal((50, missed), HitsAndMisses(store));
    }

    [Fact]
    public void What_is_in_memory_is_read_without_an_allocation()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options);
        for (var i = 0; i < 100; i++) store.Put($"key{i * 37 % 100:d2}", Text(i), Durability.Relaxed);
        store.Flush();
        var value = new byte[1000];
        var key = "key00"u8.ToArray();
        var allocated = 0L;
        for (var round = 0; round < 3; round++)
        {
            using var cursor = store.Scan(KeyRange.All);
            Assert.True(cursor.MoveNext());
            _ = cursor.Value;
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100; i++)
            {
                (key[3], key[4]) = ((byte)('0' + (i / 10)), (byte)('0' + (i % 10)));
                store.TryGet(key, value, out _);
            }

            while (cursor.MoveNext()) _ = cursor.Value;
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    [Fact]
    public void A_value_stays_with_its_cursor_when_segment_and_store_go()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options);
        store.Put("a", Text(1));
        store.Flush();
        Assert.Equal(Text(1), store.Get("a"));
        using var cursor = store.Scan(KeyRange.All);
        Assert.True(cursor.MoveNext());
        var value = cursor.Value;
        store.Delete("a");
        store.Compact();
        Assert.Null(store.Get("a"));
        for (var i = 0; i < 300; i++) store.Put($"b{i}", Text(i, 8000), Durability.Relaxed);
        for (var i = 0; i < 300; i++) Assert.Equal(Text(i, 8000), store.Get($"b{i}"));
        store.Dispose();
        Assert.Equal(Text(1), System.Text.Encoding.UTF8.GetString(value));
    }

    [Fact]
    public void A_place_with_another_length_or_checksum_finds_nothing()
    {
        var cache = new BlockCache(BudgetBytes);
        var values = new ValueCache(cache);
        var place = new ValuePlace(3, 4096, 500, 77);
        values.Add(place, new byte[500]);
        Assert.True(IsCached(values, place));
        Assert.False(IsCached(values, place with { ValueCrc = 78 }));
        Assert.False(IsCached(values, place with { LengthBytes = 499 }));
        Assert.False(IsCached(values, place with { SegmentId = 4 }));
        var slot = cache.Epoch.Enter();
        Assert.True(cache.Find(slot, 3, 4096).IsNone); // A table of the same number.
        cache.Epoch.Exit(slot);
        Free(cache);
    }

    [Fact]
    public void A_buffer_gives_back_what_it_held_of_the_cache()
    {
        var cache = new BlockCache(BudgetBytes);
        var segments = new ValueSegments(new StoreFiles(TestStore.AnyDisk(), TestStore.Directory), cache);
        var value = TestStore.Bytes(Text(3));
        var place = new ValuePlace(1, 0, value.Length, Crc32C.Compute(value));
        segments.Cache.Add(place, value);
        Span<byte> stored = stackalloc byte[ValuePlace.EncodedBytes];
        place.Write(stored);
        var buffer = new ValueBuffer(segments);
        for (var i = 0; i < 3; i++)
        {
            Assert.True(buffer.Resolve(EntryKind.PutInLog, stored).SequenceEqual(value));
            if (i < 2) buffer.Clear();
        }

        buffer.Close();
        Free(cache);
    }

    [Fact]
    public void Long_values_stay_out_and_the_budget_holds()
    {
        var cache = new BlockCache(BudgetBytes);
        var values = new ValueCache(cache);
        var random = new Random(5);
        for (var i = 0; i < 5000; i++)
        {
            var place = new ValuePlace(1, i, random.Next(256, 6000), 0);
            values.Add(place, new byte[place.LengthBytes]);
            Assert.Equal(place.LengthBytes <= BudgetBytes / 64, IsCached(values, place));
            Assert.InRange(cache.UsedBytes, 0, BudgetBytes);
        }

        Assert.True(cache.UsedBytes > BudgetBytes / 4 * 3, $"only {cache.UsedBytes} bytes are used");
        Free(cache);
    }

    [Fact]
    public void A_scan_fills_free_room_and_pushes_out_no_more_than_its_share()
    {
        var cache = new BlockCache(BudgetBytes);
        var values = new ValueCache(cache);
        var share = values.ScanShareBytes;
        for (var i = 0; i < 1000; i++) values.Add(new ValuePlace(1, i, 1000, 0), new byte[1000], ref share);
        var first = Enumerable.Range(0, 1000).Count(i => IsCached(values, new ValuePlace(1, i, 1000, 0)));
        Assert.InRange(first, 200, 250);
        share = values.ScanShareBytes;
        for (var i = 0; i < 1000; i++) values.Add(new ValuePlace(2, i, 1000, 0), new byte[1000], ref share);
        var left = Enumerable.Range(0, 1000).Count(i => IsCached(values, new ValuePlace(1, i, 1000, 0)));
        Assert.InRange(left, first - (first / 12), first - 1);
        Free(cache);
    }

    [Fact]
    public void Concurrent_gets_and_scans_of_a_small_cache_see_the_right_values()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options with { BlockCacheBytes = 64 << 10 });
        for (var i = 0; i < 300; i++) store.Put($"key{i * 7 % 300:d3}", Text(i * 7 % 300, 600), Durability.Relaxed);
        store.Flush();
        var most = 0L;
        Parallel.For(0, 4, worker =>
        {
            var random = new Random(worker);
            for (var round = 0; round < 300; round++)
            {
                var number = random.Next(300);
                Assert.Equal(Text(number, 600), store.Get($"key{number:d3}"));
                using var cursor = store.Scan(KeyRange.Prefix(TestStore.Bytes($"key{number / 10:d2}")));
                for (number = number / 10 * 10; cursor.MoveNext(); number++)
                    Assert.Equal(Text(number, 600), System.Text.Encoding.UTF8.GetString(cursor.Value));
                most = Math.Max(most, store.GetStatistics().CacheBytes);
            }
        });
        Assert.InRange(most, 1, 64 << 10);
        Assert.True(HitsAndMisses(store) is { Hits: > 0, Misses: > 300 });
    }

    static string Text(int number, int length = 300) => number.ToString().PadLeft(length, 'v');

    static (long Hits, long Misses) HitsAndMisses(KeyValueStore store)
    {
        var statistics = store.GetStatistics();
        return (statistics.CacheValueHits, statistics.CacheValueMisses);
    }

    static bool IsCached(ValueCache values, in ValuePlace place)
    {
        var slot = values.Epoch.Enter();
        var found = !values.Find(slot, place).IsNone;
        values.Epoch.Exit(slot);
        return found;
    }

    static void Free(BlockCache cache)
    {
        cache.Release();
        Assert.Equal(0, cache.AllocatedBytes);
    }

    // The last byte that is a letter of the value.
    void Damage()
    {
        foreach (var name in disk.List(TestStore.Directory).Where(name => name.StartsWith("log-", StringComparison.Ordinal)))
        {
            using var file = disk.Open($"{TestStore.Directory}/{name}", FileOpenMode.Existing);
            var content = new byte[file.LengthBytes];
            file.Read(content, 0);
            var at = content.AsSpan().LastIndexOf((byte)'v');
            if (at >= 0) file.Write("w"u8, at);
        }
    }
}
