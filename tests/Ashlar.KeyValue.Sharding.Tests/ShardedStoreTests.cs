using System.Buffers;
using System.Globalization;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Sharding.Tests;

public sealed class ShardedStoreTests
{
    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    [Fact]
    public void What_was_put_is_read_also_after_reopening_on_a_real_disk()
    {
        using var directory = new TemporaryDirectory();
        using (var store = ShardedKeyValueStore.Open(directory["new/store"]))
        {
            Assert.Equal(ShardedKeyValueOptions.DefaultShardCount, store.ShardCount);
            for (var i = 0; i < 100; i++) store.Put($"key {i:d3}", $"value {i}");
            store.Delete("key 050");
        }

        Assert.True(ShardedKeyValueStore.IsSharded(directory["new/store"]));
        using var reopened = ShardedKeyValueStore.Open(directory["new/store"]);
        Assert.Equal("value 7", reopened.Get("key 007"));
        Assert.Null(reopened.Get("key 050"));
        reopened.Compact();
        Assert.True(reopened.Verify().IsClean);
        Assert.Equal(99, reopened.GetStatistics().TableEntries);
    }

    [Fact]
    public void Keys_are_spread_evenly()
    {
        using var store = ShardedTestStore.Open(disk);
        var counts = new int[4];
        for (var i = 0; i < 4000; i++) counts[store.GetShard(TestStore.Bytes($"user/{i}"))]++;
        Assert.All(counts, count => Assert.InRange(count, 900, 1100));
    }

    [Fact]
    public void Scans_merge_the_shards_in_order_in_both_directions()
    {
        using var store = ShardedTestStore.Open(disk);
        for (var i = 0; i < 300; i++) store.Put($"{i:d3}", $"{i}");
        for (var i = 0; i < 300; i += 3) store.Delete($"{i:d3}");
        var keys = Enumerable.Range(0, 300).Where(i => i % 3 != 0).Select(i => $"{i:d3}={i}").ToArray();
        Assert.Equal(string.Join(' ', keys), store.ReadAll());
        Assert.Equal(string.Join(' ', keys.Reverse()), store.ReadAll(ScanDirection.Backward));
        Assert.Equal("100=100 101=101 103=103 104=104", store.Scan(KeyRange.Between("100"u8, "105"u8)).ReadAll());
        Assert.Equal("295=295 296=296 298=298 299=299", store.Scan(KeyRange.From("295"u8)).ReadAll());
        Assert.Equal(
            "019=19 017=17 016=16 014=14 013=13 011=11 010=10",
            store.Scan(KeyRange.Prefix("01"u8), ScanDirection.Backward).ReadAll());
    }

    [Fact]
    public void A_cursor_off_its_entries_or_after_its_end_says_so()
    {
        var store = ShardedTestStore.Open(disk);
        store.Put("a", "1");
        var cursor = store.Scan(KeyRange.All);
        Assert.Throws<InvalidOperationException>(() => cursor.Key.ToArray());
        Assert.True(cursor.MoveNext());
        Assert.False(cursor.MoveNext());
        Assert.False(cursor.MoveNext());
        Assert.Throws<InvalidOperationException>(() => cursor.Value.ToArray());
        var late = store.Scan(KeyRange.All);
        var snapshot = store.CreateSnapshot();
        store.Dispose();
        store.Dispose();
        Assert.Throws<ObjectDisposedException>(() => late.MoveNext());
        Assert.Throws<ObjectDisposedException>(() => snapshot.Get("a"u8));
        Assert.Throws<ObjectDisposedException>(() => store.Get("a"));
        Assert.Throws<ObjectDisposedException>(() => store.Put("a", "2"));
        Assert.Throws<ObjectDisposedException>(() => store.Scan(KeyRange.All));
        Assert.Throws<ObjectDisposedException>(() => store.Sync());
        cursor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cursor.MoveNext());
        late.Dispose();
        snapshot.Dispose();
    }

    [Fact]
    public async Task A_batch_over_several_shards_is_refused_as_a_whole_unless_each_shard_for_itself_will_do()
    {
        using var store = ShardedTestStore.Open(disk);
        var batch = new WriteBatch();
        for (var i = 0; i < 20; i++) batch.Put(TestStore.Bytes($"{i:d2}"), "x"u8);
        var refused = Assert.Throws<CrossShardBatchException>(() => store.Write(batch));
        Assert.NotEqual(refused.FirstShard, refused.OtherShard);
        await Assert.ThrowsAsync<CrossShardBatchException>(async () => await store.WriteAsync(batch));
        Assert.Equal("", store.ReadAll());
        store.WritePerShard(batch);
        Assert.Equal(20, store.ReadAll().Split(' ').Length);
        Assert.Equal(4, store.GetStatistics().CommitGroups);
    }

    [Fact]
    public async Task A_batch_within_one_shard_is_atomic_and_may_delete()
    {
        using var store = ShardedTestStore.Open(disk, hashedPrefix: 6);
        var batch = new WriteBatch();
        for (var i = 0; i < 20; i++) batch.Put(TestStore.Bytes($"user01/{i:d2}"), "x"u8);
        store.Write(batch);
        batch.Clear();
        for (var i = 1; i < 20; i++) batch.Delete(TestStore.Bytes($"user01/{i:d2}"));
        await store.WriteAsync(batch);
        await store.WritePerShardAsync(new WriteBatch());
        store.Write(new WriteBatch());
        Assert.Equal("user01/00=x", store.ReadAll());
        Assert.Equal(2, store.GetStatistics().CommitGroups);
    }

    [Fact]
    public void A_scan_of_a_hashed_prefix_finds_all_of_it_as_a_scan_over_all_shards_does()
    {
        using var store = ShardedTestStore.Open(disk, hashedPrefix: 2);
        foreach (var prefix in (string[])["aa", "ab", "b", "ba"])
        {
            for (var i = 0; i < 10; i++) store.Put($"{prefix}{i}", "x");
        }

        store.Put("aa", "x");
        store.Put("b", "x");
        var all = store.ReadAll().Split(' ');
        Assert.Equal(42, all.Length);
        foreach (var prefix in (string[])["a", "aa", "aa1", "b", "ba", "ba9", "c"])
        {
            var expected = string.Join(' ', all.Where(entry => entry.StartsWith(prefix, StringComparison.Ordinal)));
            Assert.Equal(expected, store.Scan(KeyRange.Prefix(TestStore.Bytes(prefix))).ReadAll());
        }

        Assert.Equal("ab9=x b=x b0=x", store.Scan(KeyRange.Between("ab9"u8, "b1"u8)).ReadAll());
        Assert.Equal("aa8=x aa9=x", store.Scan(KeyRange.Between("aa8"u8, "ab"u8)).ReadAll());
    }

    [Fact]
    public void Values_are_read_into_writers_and_spans_and_from_snapshots()
    {
        using var store = ShardedTestStore.Open(disk);
        store.Put("a", "hello");
        using var snapshot = store.CreateSnapshot();
        store.Put("a", "later");
        var writer = new ArrayBufferWriter<byte>();
        Assert.True(snapshot.TryGet("a"u8, writer));
        Assert.True(store.TryGet("a"u8, writer));
        Assert.Equal("hellolater"u8.ToArray(), writer.WrittenSpan.ToArray());
        Span<byte> small = stackalloc byte[3];
        Assert.False(store.TryGet("a"u8, small, out var length));
        Assert.Equal(5, length);
        Assert.False(snapshot.TryGet("a"u8, small, out length));
        Assert.Equal(5, length);
        Assert.Equal("hello"u8.ToArray(), snapshot.Get("a"u8));
        Assert.Null(snapshot.Get("b"u8));
        Assert.Equal("a=hello", snapshot.Scan(KeyRange.All).ReadAll());
    }

    [Fact]
    public void Entries_expire_also_those_of_a_batch_that_was_split()
    {
        var clock = new SimulatedClock();
        using var store = ShardedKeyValueStore.Open(
            TestStore.Directory, ShardedTestStore.Small(disk) with { Store = TestStore.Small(disk) with { TimeProvider = clock } });
        store.Put("a"u8, "1"u8, TimeSpan.FromSeconds(10));
        var batch = new WriteBatch();
        for (var i = 0; i < 8; i++) batch.Put(TestStore.Bytes($"{i}"), "x"u8, TimeSpan.FromSeconds(5), clock);
        batch.Put("longest"u8, new byte[KeyValueOptions.ValueLimitBytes], TimeSpan.FromSeconds(5), clock);
        store.WritePerShard(batch);
        Assert.Equal("x", store.Get("3"));
        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("a=1", store.ReadAll());
        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("", store.ReadAll());
    }

    [Fact]
    public void A_snapshot_is_of_one_moment_even_if_writes_come_while_it_is_taken()
    {
        using var store = ShardedTestStore.Open(disk, shards: 2);
        var first = Enumerable.Range(0, 100).Select(i => TestStore.Bytes($"{i}")).First(key => store.GetShard(key) == 0);
        var second = Enumerable.Range(0, 100).Select(i => TestStore.Bytes($"{i}")).First(key => store.GetShard(key) == 1);
        var isDone = false;
        store.BeforeShardSnapshot = shard =>
        {
            if (shard == 0 || isDone) return;
            isDone = true;
            store.Put(first, "earlier"u8);
            store.Put(second, "later"u8);
        };
        using var snapshot = store.CreateSnapshot();
        Assert.True(isDone);
        Assert.Equal(snapshot.Get(first) is null, snapshot.Get(second) is null);
        Assert.Equal(1, store.GetStatistics().Snapshots);
    }

    [Fact]
    public void Writers_wait_at_the_gate_when_they_are_so_busy_that_no_moment_comes_by_itself()
    {
        using var store = ShardedTestStore.Open(disk, shards: 2);
        var first = Enumerable.Range(0, 100).Select(i => TestStore.Bytes($"{i}")).First(key => store.GetShard(key) == 0);
        var attempts = 0;
        Task? waiting = null;
        store.BeforeShardSnapshot = shard =>
        {
            if (shard == 0) return;
            attempts++;
            if (attempts <= 8) store.Put(first, TestStore.Bytes($"{attempts}"));
            else waiting ??= Task.Factory.StartNew(() => store.Put("late", "x"), TaskCreationOptions.LongRunning);
            Assert.True(attempts < 100);
        };
        using var snapshot = store.CreateSnapshot();
        Assert.Equal(9, attempts);
        waiting!.Wait();
        Assert.Null(snapshot.Get("late"u8));
        Assert.Equal("x", store.Get("late"));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(8)]
    public void Another_number_of_shards_is_refused_and_nothing_is_modified(int asked)
    {
        using (var store = ShardedTestStore.Open(disk)) store.Put("a", "1");
        var refused = Assert.Throws<ShardLayoutException>(() => ShardedTestStore.Open(disk, shards: asked));
        Assert.Contains("4 shards", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ShardLayoutException>(() => ShardedTestStore.Open(disk, hashedPrefix: 3));
        using var reopened = ShardedTestStore.Open(disk, shards: null);
        Assert.Equal((4, "1"), (reopened.ShardCount, reopened.Get("a")));
    }

    [Fact]
    public void A_plain_store_and_a_sharded_one_are_not_taken_for_each_other()
    {
        using (ShardedTestStore.Open(disk)) { }
        var refused = Assert.Throws<UnsupportedFormatException>(() => KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)));
        Assert.EndsWith("/SHARDS", refused.Path, StringComparison.Ordinal);
        Assert.Contains("Ashlar.KeyValue.Sharding", refused.Message, StringComparison.Ordinal);
        using (KeyValueStore.Open("/plain", TestStore.Small(disk))) { }
        Assert.Throws<ShardLayoutException>(() => ShardedKeyValueStore.Open("/plain", ShardedTestStore.Small(disk)));
        Assert.False(ShardedKeyValueStore.IsSharded("/plain", disk));
        Assert.False(ShardedKeyValueStore.IsSharded("/missing", disk));
    }

    [Fact]
    public void A_store_that_is_open_or_missing_is_refused()
    {
        using var store = ShardedTestStore.Open(disk);
        Assert.Throws<LockedException>(() => ShardedTestStore.Open(disk));
        var missing = ShardedTestStore.Small(disk) with { Store = TestStore.Small(disk) with { CreateIfMissing = false } };
        Assert.Equal(StorageErrorKind.NotFound, Assert.Throws<StorageException>(() => ShardedKeyValueStore.Open("/none", missing)).Kind);
        disk.CreateDirectory("/none");
        Assert.Equal(StorageErrorKind.NotFound, Assert.Throws<StorageException>(() => ShardedKeyValueStore.Open("/none", missing)).Kind);
        Assert.Throws<ArgumentOutOfRangeException>(() => ShardedTestStore.Open(disk, shards: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => ShardedTestStore.Open(disk, shards: 257));
        Assert.Throws<ArgumentOutOfRangeException>(() => ShardedTestStore.Open(disk, hashedPrefix: -1));
    }

    [Fact]
    public void A_store_is_read_by_several_at_once_who_cannot_write()
    {
        var options = ShardedTestStore.Small(disk) with { Store = TestStore.Small(disk) with { ReadOnly = true } };
        Assert.Throws<StorageException>(() => ShardedKeyValueStore.Open(TestStore.Directory, options));
        using (var store = ShardedTestStore.Open(disk)) store.Put("a", "1");
        using var first = ShardedKeyValueStore.Open(TestStore.Directory, options);
        using var second = ShardedKeyValueStore.Open(TestStore.Directory, options);
        Assert.Equal("a=1", second.ReadAll());
        Assert.Throws<ReadOnlyStoreException>(() => first.Put("a", "2"));
        Assert.Throws<LockedException>(() => ShardedTestStore.Open(disk));
    }

    [Fact]
    public void Swapped_missing_and_damaged_shards_are_named_and_nothing_is_modified()
    {
        using (var store = ShardedTestStore.Open(disk))
        {
            for (var i = 0; i < 50; i++) store.Put($"{i}", "x");
        }

        Swap();
        Assert.Contains(
            "shard-001", Assert.Throws<CorruptDataException>(() => ShardedTestStore.Open(disk)).Message, StringComparison.Ordinal);
        Swap();
        disk.Rename($"{TestStore.Directory}/shard-003/MANIFEST", $"{TestStore.Directory}/kept");
        Assert.Contains(
            "shard-003", Assert.Throws<CorruptDataException>(() => ShardedTestStore.Open(disk)).Message, StringComparison.Ordinal);
        disk.Rename($"{TestStore.Directory}/kept", $"{TestStore.Directory}/shard-003/MANIFEST");
        disk.Rename($"{TestStore.Directory}/SHARDS", $"{TestStore.Directory}/kept");
        Assert.Contains(
            "holds writes", Assert.Throws<CorruptDataException>(() => ShardedTestStore.Open(disk)).Message, StringComparison.Ordinal);
        disk.Rename($"{TestStore.Directory}/kept", $"{TestStore.Directory}/SHARDS");
        using var reopened = ShardedTestStore.Open(disk);
        Assert.Equal(50, reopened.ReadAll().Split(' ').Length);

        void Swap()
        {
            disk.Rename($"{TestStore.Directory}/shard-001/MANIFEST", $"{TestStore.Directory}/m");
            disk.Rename($"{TestStore.Directory}/shard-002/MANIFEST", $"{TestStore.Directory}/shard-001/MANIFEST");
            disk.Rename($"{TestStore.Directory}/m", $"{TestStore.Directory}/shard-002/MANIFEST");
        }
    }

    [Fact]
    public void A_key_in_the_wrong_shard_is_found_by_verify()
    {
        using (var store = ShardedTestStore.Open(disk)) Assert.NotEqual(3, store.GetShard("a"u8));
        using (var shard = KeyValueStore.Open($"{TestStore.Directory}/shard-003", TestStore.Small(disk))) shard.Put("a", "1");
        using var reopened = ShardedTestStore.Open(disk);
        Assert.Contains("shard-003", Assert.Single(reopened.Verify().Problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shard_that_refuses_writes_is_named_and_the_others_go_on()
    {
        var faulty = new FaultyFileSystem(disk);
        var store = ShardedTestStore.Open(faulty);
        for (var i = 0; i < 40; i++) store.Put($"{i}", "x"); // Every shard has a segment of its log.
        faulty.Add(new FaultRule(FaultOperations.Sync, FaultKind.LostSync) { PathPattern = "*shard-002*", IsSticky = true });
        var refused = 0;
        for (var i = 0; i < 40; i++)
        {
            var isBad = store.GetShard(TestStore.Bytes($"{i}")) == 2;
            if (isBad)
            {
                var refusal = Assert.Throws<StorePoisonedException>(() => store.Put($"{i}", "y"));
                Assert.EndsWith("shard-002", refusal.Directory, StringComparison.Ordinal);
            }
            else store.Put($"{i}", "y");
            refused += isBad ? 1 : 0;
        }

        Assert.InRange(refused, 1, 39);
        Assert.EndsWith("shard-002", Assert.Throws<StorePoisonedException>(() => store.Sync()).Directory, StringComparison.Ordinal);
        Assert.Equal(40 - refused, store.ReadAll().Split(' ').Count(entry => entry.EndsWith("=y", StringComparison.Ordinal)));
        store.Dispose();
    }

    [Fact]
    public void Every_number_of_the_statistics_is_a_sum_over_the_shards()
    {
        // Each number is 1, 2, 4 in the shards. A new one belongs into ShardStatistics.Sum.
        var shards = new[] { 1, 2, 4 }.Select(value =>
        {
            var statistics = new KeyValueStatistics();
            foreach (var property in Numbers())
                property.SetValue(statistics, Convert.ChangeType(value, property.PropertyType, CultureInfo.InvariantCulture));
            return statistics;
        }).ToArray();
        var sum = ShardStatistics.Sum(shards);
        // Every shard has the same snapshots, and sequences of its own.
        Assert.All(Numbers(), property => Assert.Equal(
            (property.Name, property.Name == nameof(KeyValueStatistics.Snapshots) ? 4L : 7L),
            (property.Name, Convert.ToInt64(property.GetValue(sum), CultureInfo.InvariantCulture))));

        static IEnumerable<System.Reflection.PropertyInfo> Numbers() => typeof(KeyValueStatistics).GetProperties()
            .Where(property => property.CanWrite && !property.Name.EndsWith("Sequence", StringComparison.Ordinal))
            .Where(property =>
                property.PropertyType == typeof(long) || property.PropertyType == typeof(int) || property.PropertyType == typeof(ulong));
    }
}
