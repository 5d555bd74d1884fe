using System.Buffers;
using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>Gets that do not wait for the disk.</summary>
[Trait("disk", "any")]
public sealed class CachedGetTests
{
    const int Keys = 200;

    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    KeyValueStore Open(int cacheBytes = 1 << 20) =>
        KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { BlockCacheBytes = cacheBytes });

    // In tables, and as values in segments.
    static string Value(int number) => $"{number}".PadLeft(number % 2 == 0 ? 20 : 600, '.');

    void Fill()
    {
        using var store = Open();
        for (var i = 0; i < Keys; i++) store.Put($"{i:d4}", Value(i));
        store.Flush();
    }

    static (CachedGet Outcome, string Value) Get(KeyValueStore store, string key)
    {
        var written = new ArrayBufferWriter<byte>();
        var outcome = store.TryGetCached(TestStore.Bytes(key), written);
        var span = new byte[1000];
        Assert.Equal(outcome, store.TryGetCached(TestStore.Bytes(key), span, out var length));
        Assert.Equal(written.WrittenSpan, span.AsSpan(0, length));
        return (outcome, Encoding.UTF8.GetString(written.WrittenSpan));
    }

    [Fact]
    public void What_is_in_memory_or_in_the_page_cache_is_found()
    {
        Fill();
        using var store = Open();
        store.Put("new", "1");
        store.Delete("0007");
        for (var i = 0; i < Keys; i++) Assert.Equal(i == 7 ? (CachedGet.Absent, "") : (CachedGet.Found, Value(i)), Get(store, $"{i:d4}"));
        Assert.Equal((CachedGet.Found, "1"), Get(store, "new"));
        Assert.Equal((CachedGet.Absent, ""), Get(store, "0007x"));
        Assert.Equal((CachedGet.Absent, ""), Get(store, "z"));
    }

    [Fact]
    public void What_is_on_the_disk_only_is_not_waited_for_until_a_get_has_read_it()
    {
        Fill();
        using var store = Open();
        disk.PageCache.Drop();
        for (var i = 0; i < Keys; i++)
        {
            var waits = disk.PageCache.Waits;
            var before = Get(store, $"{i:d4}");
            Assert.Equal(waits, disk.PageCache.Waits);
            Assert.True(before is (CachedGet.WouldWait, "") || before == (CachedGet.Found, Value(i)));
            if (i == 0) Assert.Equal(CachedGet.WouldWait, before.Outcome);
            Assert.Equal(Value(i), store.Get($"{i:d4}"));
            Assert.Equal((CachedGet.Found, Value(i)), Get(store, $"{i:d4}"));
        }
    }

    [Fact]
    public void An_older_entry_further_down_is_not_found_while_a_newer_one_would_have_to_be_waited_for()
    {
        Fill();
        using var store = Open();
        store.Compact();
        Assert.Equal(Value(8), store.Get("0008")); // Its block stays in memory.
        store.Put("0008", "newer");
        store.Flush();
        disk.PageCache.Drop();
        Assert.Equal((CachedGet.WouldWait, ""), Get(store, "0008"));
        Assert.Equal("newer", store.Get("0008"));
        Assert.Equal((CachedGet.Found, "newer"), Get(store, "0008"));
    }

    [Fact]
    public void A_value_that_is_longer_than_the_memory_gives_its_length_and_nothing_else()
    {
        Fill();
        using var store = Open();
        var destination = new byte[599];
        Assert.Equal(CachedGet.TooShort, store.TryGetCached("0001"u8, destination, out var length));
        Assert.Equal(600, length);
        Assert.Equal(CachedGet.TooShort, store.TryGetCached("0002"u8, destination.AsSpan(0, 1), out length));
        Assert.Equal(20, length);
        Assert.Equal(new byte[599], destination);
    }

    [Fact]
    public void Damage_is_told_as_by_any_get()
    {
        Fill();
        using var store = Open(cacheBytes: 0);
        foreach (var name in disk.List(TestStore.Directory).Where(name => StoreFiles.IsLogName(name, out _)))
        {
            using var file = disk.Open($"{TestStore.Directory}/{name}", FileOpenMode.Existing);
            file.Write(new byte[file.LengthBytes], 0);
        }

        Assert.Throws<CorruptDataException>(() => store.TryGetCached("0001"u8, new byte[600], out _));
    }

    [Fact]
    public void What_merges_have_replaced_meanwhile_is_freed()
    {
        Fill();
        using var store = Open();
        for (var round = 0; round < 5; round++)
        {
            store.Compact();
            store.Put("0001", $"{round}");
            for (var i = 0; i < Keys; i++) Get(store, $"{i:d4}");
        }

        store.Compact();
        SpinWait.SpinUntil(() => store.GetStatistics().KeptFileBytes == 0);
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        using var directory = new TemporaryDirectory(); // The simulated disk makes garbage of its own.
        using var store = KeyValueStore.Open(directory["store"], new KeyValueOptions { FileSystem = RealDisk.Door, BlockCacheBytes = 0 });
        for (var i = 0; i < Keys; i++) store.Put($"{i:d4}", Value(i), Durability.Unflushed);
        store.Flush();
        var (key, value) = (TestStore.Bytes("0001"), new byte[600]);
        var outcomes = 0;
        Round();
        Assert.Equal(0, AllocationMeter.LeastBytes(Round));
        Assert.True(outcomes > 0);

        void Round()
        {
            for (var i = 0; i < 50; i++) outcomes += store.TryGetCached(key, value, out _) == CachedGet.Absent ? 0 : 1;
        }
    }
}
