using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>Readers while tables and blocks come and go under them.</summary>
[Trait("disk", "any")]
public sealed class ReaderTests
{
    const int Keys = 600;

    [Theory]
    [InlineData(0)]
    [InlineData(20 << 10)]
    [InlineData(1 << 20)]
    public async Task Readers_see_whole_values_and_the_cache_keeps_its_budget(int budget)
    {
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.AnyDisk(), inline: false) with
        {
            TimeProvider = TimeProvider.System,
            BlockCacheBytes = budget,
            MaxOpenFiles = 3,
        });
        for (var i = 0; i < Keys; i++) store.Put(Key(i), Value(i, 0), Durability.Relaxed);
        using var done = new CancellationTokenSource();
        var most = 0L;
        var readers = Enumerable.Range(0, 3).Select(reader => Task.Run(() =>
        {
            var random = new SeededRandom((ulong)reader);
            var rounds = 0;
            while (!done.IsCancellationRequested || rounds < 20)
            {
                for (var i = 0; i < 50; i++)
                {
                    var number = random.Next(Keys);
                    RequireWhole(number, store.Get(Key(number)));
                }

                using var cursor = store.Scan(
                    KeyRange.From(Key(random.Next(Keys))), reader == 0 ? ScanDirection.Backward : ScanDirection.Forward);
                for (var i = 0; i < 40 && cursor.MoveNext(); i++)
                    RequireWhole(int.Parse(System.Text.Encoding.UTF8.GetString(cursor.Key)), cursor.Value.ToArray());
                // The cache's own table is there whatever the budget.
                if (budget > 0) most = Math.Max(most, store.Cache.UsedBytes);
                rounds++;
            }
        })).ToArray();
        for (var round = 1; round <= 4; round++)
        {
            for (var i = round % 3; i < Keys; i += 3) store.Put(Key(i), Value(i, round), Durability.Relaxed);
            if (round % 2 == 0) store.Compact();
        }

        await done.CancelAsync();
        await Task.WhenAll(readers);
        Assert.InRange(most, 0, budget);
        var cache = store.Cache;
        store.Dispose();
        Assert.Equal(0, cache.AllocatedBytes);
    }

    [Fact]
    public void A_cursor_that_outlives_the_store_keeps_what_it_stands_on_and_gives_it_back()
    {
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.AnyDisk()));
        for (var i = 0; i < Keys; i++) store.Put(Key(i), Value(i, 0), Durability.Relaxed);
        store.Compact();
        var cursor = store.Scan(KeyRange.All);
        Assert.True(cursor.MoveNext());
        var cache = store.Cache;
        store.Dispose();
        RequireWhole(0, cursor.Value.ToArray());
        Assert.Throws<ObjectDisposedException>(() => cursor.MoveNext());
        Assert.NotEqual(0, cache.AllocatedBytes);
        cursor.Dispose();
        cursor.Dispose();
        Assert.Equal(0, cache.AllocatedBytes);
    }

    [Fact]
    public void A_table_that_moved_to_another_level_can_be_opened_again_by_readers_of_the_one_before()
    {
        var disk = TestStore.AnyDisk();
        var files = new StoreFiles(disk, "/", maxOpenFiles: 1);
        using var builder = new TableBuilder(files, 1, 4096);
        builder.Add("a"u8, 1, EntryKind.Put, "x"u8);
        var info = builder.Finish(1);
        var cache = new BlockCache(0);
        using var values = new ValueSegments(files, cache);
        var table = Table.Open(files, info, cache, values);
        var moved = Table.Open(files, info with { Level = 2 }, cache, values);
        table.MoveTo(moved);
        moved.MarkObsolete();
        moved.Release();
        var iterator = table.CreateSequentialIterator();
        iterator.SeekToFirst();
        Assert.True(iterator.IsValid);
        table.Release();
        Assert.False(disk.FileExists(files.TablePath(1)));
        cache.Release();
    }

    static byte[] Key(int number) => TestStore.Bytes($"{number:d6}");

    static byte[] Value(int number, int round) => TestStore.Bytes($"{number} {new string((char)('a' + round), 20 + (number % 80))}");

    static void RequireWhole(int number, byte[]? value)
    {
        var text = System.Text.Encoding.UTF8.GetString(value!);
        var round = text[^1] - 'a';
        Assert.Equal(TestStore.Bytes($"{number} {new string((char)('a' + round), 20 + (number % 80))}"), value);
    }
}
