using System.Buffers.Binary;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>Writers of several shards at once, and what snapshots and cursors over all of them may see.</summary>
public sealed class ShardedConcurrencyTests
{
    // One writer puts 1, 2, 3, ... to keys of different shards in turn: what a snapshot sees must be a prefix of that.
    [Theory, InlineData(Durability.Relaxed), InlineData(Durability.Sync)]
    public async Task A_snapshot_never_sees_a_write_without_those_that_completed_before_it_began(Durability durability)
    {
        using var store = OpenSmall();
        var keys = KeysOfAllShards(store);
        var writers = Enumerable.Range(0, 3).Select(writer => Task.Run(() =>
        {
            var value = new byte[4];
            for (var i = 1; i <= 3000; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(value, i);
                store.Put([(byte)writer, .. keys[i % keys.Length]], value, durability);
            }
        })).ToArray();
        var all = Task.WhenAll(writers);
        var snapshots = 0;
        do
        {
            using var snapshot = store.CreateSnapshot();
            for (byte writer = 0; writer < writers.Length; writer++)
            {
                var seen = keys.Select(key => snapshot.Get([writer, .. key]) is { } value ? BinaryPrimitives.ReadInt32LittleEndian(value) : 0).ToArray();
                var last = seen.Max();
                for (var i = Math.Max(1, last - keys.Length + 1); i <= last; i++) Assert.Equal(i, seen[i % keys.Length]);
            }

            snapshots++;
        }
        while (!all.IsCompleted || snapshots < 2);
        await all;
    }

    [Fact]
    public async Task Scans_of_all_shards_are_in_order_and_complete_while_others_write_flush_and_compact()
    {
        using var store = OpenSmall();
        for (var i = 0; i < 500; i++) store.Put($"fixed {i:d3}", "x", Durability.Relaxed);
        var writers = Enumerable.Range(0, 2).Select(writer => Task.Run(() =>
        {
            for (var i = 0; i < 4000; i++) store.Put($"other {writer} {i % 300}", new string('y', i % 90), Durability.Relaxed);
        })).ToArray();
        var all = Task.WhenAll(writers);
        do
        {
            var found = 0;
            byte[]? last = null;
            using var cursor = store.Scan(KeyRange.All, ScanDirection.Backward);
            while (cursor.MoveNext())
            {
                if (last is not null) Assert.True(cursor.Key.SequenceCompareTo(last) < 0);
                last = cursor.Key.ToArray();
                if (cursor.Key.StartsWith("fixed"u8)) found++;
            }

            Assert.Equal(500, found);
        }
        while (!all.IsCompleted);
        await all;
        store.Compact();
        Assert.Empty(store.Verify().Problems);
    }

    [Fact]
    public async Task Blocking_and_asynchronous_writers_lose_nothing_while_snapshots_hold_them_back()
    {
        using var store = OpenSmall();
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            while (!done.IsCancellationRequested) store.CreateSnapshot().Dispose();
        })).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            var batch = new WriteBatch();
            for (var i = 0; i < 1000; i++)
            {
                batch.Clear();
                batch.Put(TestStore.Bytes($"{writer} {i:d4}"), "x"u8);
                if (writer % 2 == 0) await store.WriteAsync(batch, Durability.Relaxed);
                else store.Write(batch, Durability.Relaxed);
            }
        })));
        await done.CancelAsync();
        await Task.WhenAll(readers);
        Assert.Equal(4000, store.ReadAll().Split(' ').Count(entry => entry.EndsWith("=x", StringComparison.Ordinal)));
        Assert.Equal(0, store.GetStatistics().Snapshots);
    }

    static byte[][] KeysOfAllShards(ShardedKeyValueStore store)
    {
        var keys = new List<byte[]>();
        for (var i = 0; keys.Count < 2 * store.ShardCount; i++)
        {
            if (store.GetShard([0, .. TestStore.Bytes($"{i}")]) == keys.Count % store.ShardCount) keys.Add(TestStore.Bytes($"{i}"));
        }

        return [.. keys];
    }

    static ShardedKeyValueStore OpenSmall() => ShardedKeyValueStore.Open(
        TestStore.Directory,
        new() { ShardCount = 3, Store = TestStore.Small(TestStore.NewDisk(), inline: false) with { TimeProvider = TimeProvider.System } });
}
