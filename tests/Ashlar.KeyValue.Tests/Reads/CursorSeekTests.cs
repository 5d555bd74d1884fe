using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>An open cursor goes to any key of its range, both ways, and stays at its moment.</summary>
public sealed class CursorSeekTests
{
    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    [Theory, Seeds(count: 6)]
    public void A_cursor_that_seeks_and_moves_sees_what_a_sorted_list_has(ulong seed)
    {
        var random = new SeededRandom(seed);
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Tiny(disk, seed));
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < 400; i++)
        {
            var key = Key(random.Next(150));
            if (random.OneIn(4))
            {
                store.Delete(key);
                model.Remove(key);
            }
            else
            {
                store.Put(key, model[key] = $"{i}".PadRight(random.Next(1, 400)), Durability.Unflushed);
            }
        }

        for (var walk = 0; walk < 40; walk++)
        {
            var isBackward = random.OneIn(2);
            var range = random.OneIn(3) ? KeyRange.All : Between(Key(random.Next(75)), Key(75 + random.Next(75)));
            var seen = model.Where(pair => range.Contains(TestStore.Bytes(pair.Key))).Select(pair => pair.Key).ToArray();
            if (isBackward) Array.Reverse(seen);
            if (random.OneIn(2)) disk.PageCache.Drop(); // So that the cursor goes ahead of what it gives out.
            using var cursor = store.Scan(range, isBackward ? ScanDirection.Backward : ScanDirection.Forward);
            store.Put(Key(random.Next(150)), "later", Durability.Unflushed);
            var at = -1;
            for (var step = 0; step < 30; step++)
            {
                bool isThere;
                if (random.OneIn(3))
                {
                    var sought = random.OneIn(2) ? Key(random.Next(150)) : $"{Key(random.Next(150))}+";
                    at = Array.FindIndex(
                        seen, key => string.CompareOrdinal(key, sought) is var order && (isBackward ? order <= 0 : order >= 0));
                    if (at < 0) at = seen.Length;
                    isThere = cursor.Seek(TestStore.Bytes(sought));
                }
                else
                {
                    at = Math.Min(at + 1, seen.Length);
                    isThere = cursor.MoveNext();
                }

                Assert.Equal(at < seen.Length, isThere);
                if (!isThere) continue;
                Assert.Equal(seen[at], Encoding.UTF8.GetString(cursor.Key));
                Assert.Equal(model[seen[at]], Encoding.UTF8.GetString(cursor.Value));
            }

            store.Compact();
            foreach (var key in model.Keys.ToArray()) model[key] = store.Get(key)!; // With what was put meanwhile.
            foreach (var key in Enumerable.Range(0, 150).Select(Key))
                if (store.Get(key) is { } value) model[key] = value;
        }
    }

    [Fact]
    public void Seeking_passes_over_deleted_keys_and_out_of_the_range_it_finds_nothing()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        for (var i = 0; i < 200; i++) store.Put(Key(i), "x", Durability.Unflushed);
        for (var i = 20; i < 180; i++) store.Delete(TestStore.Bytes(Key(i)), Durability.Unflushed);
        using var forward = store.Scan(Between(Key(10), Key(190)));
        Assert.True(forward.Seek(TestStore.Bytes(Key(20))));
        Assert.Equal(Key(180), Encoding.UTF8.GetString(forward.Key));
        Assert.True(forward.Seek(default));
        Assert.Equal(Key(10), Encoding.UTF8.GetString(forward.Key));
        Assert.False(forward.Seek(TestStore.Bytes(Key(190))));
        Assert.Throws<InvalidOperationException>(() => forward.Key.ToArray());
        Assert.False(forward.MoveNext());
        using var backward = store.Scan(Between(Key(10), Key(190)), ScanDirection.Backward);
        Assert.True(backward.Seek(TestStore.Bytes(Key(179))));
        Assert.Equal(Key(19), Encoding.UTF8.GetString(backward.Key));
        Assert.True(backward.Seek(TestStore.Bytes(Key(199))));
        Assert.Equal(Key(189), Encoding.UTF8.GetString(backward.Key));
        Assert.False(backward.Seek(TestStore.Bytes(Key(9))));
        Assert.False(backward.Seek(default));
        backward.Dispose();
        Assert.Throws<ObjectDisposedException>(() => backward.Seek("a"u8));
    }

    [Fact]
    public void A_seek_that_the_disk_refused_is_made_good_for_by_the_next_move()
    {
        var faulty = new FaultyFileSystem(disk);
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(faulty) with { BlockCacheBytes = 0 });
        for (var i = 0; i < 200; i++) store.Put(Key(i), new string('v', 50), Durability.Unflushed);
        store.Compact();
        foreach (var direction in (ScanDirection[])[ScanDirection.Forward, ScanDirection.Backward])
        {
            using var cursor = store.Scan(KeyRange.All, direction);
            Assert.True(cursor.MoveNext());
            faulty.Add(new FaultRule(FaultOperations.Read, FaultKind.InputOutputError));
            Assert.Throws<StorageException>(() => cursor.Seek(TestStore.Bytes(Key(100))));
            faulty.Heal();
            Assert.True(cursor.MoveNext());
            Assert.Equal(Key(100), Encoding.UTF8.GetString(cursor.Key));
        }
    }

    static string Key(int number) => $"{number:d3}";

    static KeyRange Between(string start, string end) => KeyRange.Between(TestStore.Bytes(start), TestStore.Bytes(end));
}
