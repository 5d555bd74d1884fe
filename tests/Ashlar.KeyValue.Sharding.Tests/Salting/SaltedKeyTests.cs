using System.Buffers;
using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>Keys under the salted prefix behave as others, although each write may go to another shard.</summary>
public sealed class SaltedKeyTests
{
    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    ShardedKeyValueStore Open(int? shards = 3) => Open(disk, shards);

    static ShardedKeyValueStore Open(IFileSystem disk, int? shards, bool inline = true, TimeProvider? clock = null) =>
        ShardedKeyValueStore.Open(
        TestStore.Directory,
        new()
        {
            ShardCount = shards,
            SaltedPrefix = "hot/"u8.ToArray(),
            Store = TestStore.Small(disk, inline) with { TimeProvider = clock ?? new SimulatedClock() },
            OneByOne = inline,
        });

    [Fact]
    public void The_last_write_wins_whichever_shards_the_writes_went_to()
    {
        using (var store = Open())
        {
            for (var i = 0; i < 20; i++)
            {
                store.Put("hot/a", $"{i}");
                Assert.Equal($"{i}", store.Get("hot/a"));
            }

            Assert.All([0, 1, 2], shard => Assert.True(store.GetStatistics(shard).LastSequence >= 6));
            Assert.Equal(-1, store.GetShard("hot/a"u8));
        }

        using (var store = Open(shards: null))
        {
            Assert.Equal("19", store.Get("hot/a"));
            store.Put("hot/a", "20");
            store.Compact();
            Assert.Equal("20", store.Get("hot/a"));
            Assert.Empty(store.Verify().Problems);
        }
    }

    [Fact]
    public void A_delete_hides_every_older_copy_also_from_scans_and_after_reopening()
    {
        using (var store = Open())
        {
            for (var i = 0; i < 7; i++) store.Put("hot/a", $"{i}");
            store.Put("hot/b", "b");
            store.Delete("hot/a");
            store.Delete("hot/never");
            Assert.Null(store.Get("hot/a"));
            Assert.Equal("hot/b=b", store.ReadAll());
            store.Compact();
        }

        using (var store = Open(shards: null))
        {
            Assert.Null(store.Get("hot/a"));
            store.Put("hot/a", "again");
            Assert.Equal("hot/a=again hot/b=b", store.ReadAll());
        }
    }

    [Fact]
    public void Scans_show_each_key_once_between_the_others_in_both_directions()
    {
        using var store = Open();
        foreach (var key in (string[])["hos", "hot", "hot/", "hot/a", "hot/b", "hot0", "z"])
        {
            for (var i = 0; i < 5; i++) store.Put(key, $"{i}");
        }

        Assert.Equal("hos=4 hot=4 hot/=4 hot/a=4 hot/b=4 hot0=4 z=4", store.ReadAll());
        Assert.Equal("z=4 hot0=4 hot/b=4 hot/a=4 hot/=4 hot=4 hos=4", store.ReadAll(ScanDirection.Backward));
        Assert.Equal("hot/a=4 hot/b=4", store.Scan(KeyRange.Prefix("hot/"u8)).ReadAll().Replace("hot/=4 ", "", StringComparison.Ordinal));
        using var snapshot = store.CreateSnapshot();
        store.Put("hot/a", "later");
        store.Delete("hot/b");
        Assert.Equal("4"u8.ToArray(), snapshot.Get("hot/a"u8));
        Assert.Equal("hot/b=4 hot/a=4", snapshot.Scan(KeyRange.Between("hot/a"u8, "hot0"u8), ScanDirection.Backward).ReadAll());
    }

    [Fact]
    public void Values_are_read_into_writers_and_spans()
    {
        using var store = Open();
        store.Put("hot/a", "x");
        store.Put("hot/a", "hello");
        var writer = new ArrayBufferWriter<byte>();
        Assert.True(store.TryGet("hot/a"u8, writer));
        Assert.False(store.TryGet("hot/b"u8, writer));
        Assert.Equal("hello"u8.ToArray(), writer.WrittenSpan.ToArray());
        Span<byte> small = stackalloc byte[3];
        Assert.False(store.TryGet("hot/a"u8, small, out var length));
        Assert.Equal(5, length);
        Assert.True(store.TryGet("hot/a"u8, new byte[5], out length));
        Assert.Equal(5, length);
        store.Put("hot/a", "");
        Assert.Equal("", store.Get("hot/a"));
    }

    [Fact]
    public async Task Hot_keys_join_a_batch_of_any_shard_atomically()
    {
        using var store = Open();
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        batch.Put("hot/a"u8, "1"u8);
        batch.Put("hot/a"u8, "2"u8);
        batch.Delete("hot/b"u8);
        store.Write(batch);
        await store.WriteAsync(batch);
        Assert.Equal(2, store.GetStatistics().CommitGroups);
        batch.Clear();
        for (var i = 0; i < 10; i++) batch.Put(TestStore.Bytes($"{i}"), "x"u8);
        batch.Put("hot/b"u8, "3"u8);
        store.WritePerShard(batch);
        Assert.Equal("2", store.Get("hot/a"));
        Assert.Equal("3", store.Get("hot/b"));
    }

    [Fact]
    public async Task Many_writes_of_a_hot_key_may_be_outstanding_and_share_flushes()
    {
        using var store = Open(disk, 3, inline: false, TimeProvider.System);
        using var all = new ManualResetEventSlim();
        disk.DuringSync = _ => all.Wait();
        var writes = new List<Task>();
        for (var i = 0; i < 500; i++)
        {
            var batch = new WriteBatch();
            batch.Put("hot/a"u8, TestStore.Bytes($"{i}"));
            writes.Add(store.WriteAsync(batch, i % 5 == 0 ? Durability.Relaxed : Durability.Sync).AsTask());
        }

        disk.DuringSync = null;
        all.Set(); // All are outstanding: no flush has ended yet.
        await Task.WhenAll(writes);
        Assert.NotNull(store.Get("hot/a"));
        Assert.Equal(500, Enumerable.Range(0, 3).Sum(shard => (long)store.GetStatistics(shard).LastSequence));
        Assert.True(store.GetStatistics().Syncs < 400);
    }

    [Fact]
    public void Hot_keys_do_not_expire_and_other_layouts_are_refused()
    {
        using (var store = Open())
        {
            Assert.Throws<NotSupportedException>(() => store.Put("hot/a"u8, "x"u8, TimeSpan.FromSeconds(1)));
            var batch = new WriteBatch();
            batch.Put("hot/a"u8, "x"u8, TimeSpan.FromSeconds(1), TimeProvider.System);
            Assert.Throws<NotSupportedException>(() => store.Write(batch));
            Assert.Throws<ValueTooLongException>(() => store.Put("hot/a"u8, new byte[KeyValueOptions.ValueLimitBytes - 8]));
            Assert.Null(store.Get("hot/a"));
        }

        Assert.Throws<ShardLayoutException>(() => ShardedKeyValueStore.Open(
            TestStore.Directory, new() { SaltedPrefix = "other/"u8.ToArray(), Store = TestStore.Small(disk) }));
        using (var shard = KeyValueStore.Open($"{TestStore.Directory}/shard-001", TestStore.Small(disk))) shard.Put("hot/c", "short");
        Assert.Contains("shard-001", Assert.Throws<CorruptDataException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(Durability.Relaxed), InlineData(Durability.Sync)]
    public async Task No_reader_ever_sees_a_writer_go_back_and_everybody_reads_their_own_writes(Durability durability)
    {
        using var store = Open(TestStore.NewDisk(), 3, inline: false, TimeProvider.System);
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Factory.StartNew(
            () =>
            {
                var value = new byte[8];
                var seen = new int[4];
                for (var i = 1; i <= 1000; i++)
                {
                    BinaryPrimitives.WriteInt32LittleEndian(value, writer);
                    BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(4), i);
                    store.Put("hot/a"u8, value, durability);
                    seen[writer] = i; // What this writer wrote before may not come back.
                    Look(seen, store.Get("hot/a"u8)!);
                }
            },
            TaskCreationOptions.LongRunning)).ToArray();
        var all = Task.WhenAll(writers);
        var last = new int[4];
        do
        {
            if (store.Get("hot/a"u8) is { } value) Look(last, value);
            using var cursor = store.Scan(KeyRange.All);
            if (cursor.MoveNext()) Look(last, cursor.Value);
        }
        while (!all.IsCompleted);
        await all;
        var final = store.Get("hot/a"u8)!;
        Assert.Equal(1000, BinaryPrimitives.ReadInt32LittleEndian(final.AsSpan(4)));

        static void Look(int[] seen, ReadOnlySpan<byte> value)
        {
            var (writer, number) = (BinaryPrimitives.ReadInt32LittleEndian(value), BinaryPrimitives.ReadInt32LittleEndian(value[4..]));
            Assert.True(number >= seen[writer], $"{number} of writer {writer} after {seen[writer]}");
            seen[writer] = number;
        }
    }
}
