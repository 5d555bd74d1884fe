using System.Text;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

public sealed class BasicsTests
{
    static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public void What_was_put_is_read_also_after_reopening_on_a_real_disk()
    {
        using var directory = new TemporaryDirectory();
        using (var store = KeyValueStore.Open(directory["store"]))
        {
            for (var i = 0; i < 100; i++) store.Put(Bytes($"key {i:d3}"), Bytes($"value {i}"));
            store.Delete(Bytes("key 050"));
            Assert.Equal(Bytes("value 7"), store.Get(Bytes("key 007")));
            Assert.Null(store.Get(Bytes("key 050")));
        }

        using (var store = KeyValueStore.Open(directory["store"]))
        {
            Assert.Equal(Bytes("value 7"), store.Get(Bytes("key 007")));
            Assert.Null(store.Get(Bytes("key 050")));
            store.Put(Bytes("later"), Bytes("x"));
            Assert.True(store.Verify().IsClean);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Many_writes_pass_through_memtables_and_levels(bool inline)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var options = new KeyValueOptions
        {
            FileSystem = disk, Entropy = new SeededEntropy(1), MemTableBytes = 16 << 10, TableBytes = 8 << 10, LogChunkBytes = 16 << 10, BlockBytes = 512, BackgroundInline = inline,
        };
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var random = new SeededRandom(7);
        for (var round = 0; round < 4; round++)
        {
            using var store = KeyValueStore.Open("/store", options);
            for (var i = 0; i < 3000; i++)
            {
                var key = $"k{random.Next(1000):d4}";
                if (random.OneIn(4))
                {
                    store.Delete(Bytes(key), Durability.Relaxed);
                    model.Remove(key);
                }
                else
                {
                    var value = new string('v', random.Next(200)) + i;
                    store.Put(Bytes(key), Bytes(value), Durability.Relaxed);
                    model[key] = value;
                }
            }

            foreach (var direction in (ScanDirection[])[ScanDirection.Forward, ScanDirection.Backward])
            {
                var seen = new List<KeyValuePair<string, string>>();
                using var cursor = store.Scan(KeyRange.All, direction);
                while (cursor.MoveNext()) seen.Add(new(Encoding.UTF8.GetString(cursor.Key), Encoding.UTF8.GetString(cursor.Value)));
                Assert.Equal(direction == ScanDirection.Forward ? model : model.Reverse(), seen);
            }

            for (var i = 0; i < 1000; i++)
                Assert.Equal(model.GetValueOrDefault($"k{i:d4}"), store.Get(Bytes($"k{i:d4}")) is { } value ? Encoding.UTF8.GetString(value) : null);
            Assert.Empty(store.Verify().Problems);
            if (round == 2) store.Compact();
        }
    }

    [Fact]
    public async Task Writes_of_many_threads_share_flushes()
    {
        using var directory = new TemporaryDirectory();
        using var store = KeyValueStore.Open(directory["store"]);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 200; i++) store.Put(Bytes($"{thread} {i}"), Bytes($"{i}"));
        })));
        var tasks = Enumerable.Range(0, 500).Select(i =>
        {
            var batch = new WriteBatch();
            batch.Put(Bytes($"async {i}"), Bytes($"{i}"));
            return store.WriteAsync(batch).AsTask();
        }).ToArray();
        await Task.WhenAll(tasks);
        Assert.Equal(2100UL, store.DurableSequence);
        Assert.True(store.GetStatistics().Syncs < 2100);
    }
}
