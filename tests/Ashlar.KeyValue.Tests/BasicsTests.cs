using System.Buffers;
using System.Text;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

[Trait("disk", "any")]
public sealed class BasicsTests : IDisposable
{
    readonly KeyValueStore store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.AnyDisk()));

    public void Dispose() => store.Dispose();

    [Fact]
    public void What_was_put_is_read_also_after_reopening_on_a_real_disk()
    {
        using var directory = new TemporaryDirectory();
        using (var real = KeyValueStore.Open(directory["new/store"], new() { FileSystem = RealDisk.Door }))
        {
            for (var i = 0; i < 100; i++) real.Put($"key {i:d3}", $"value {i}");
            real.Delete("key 050");
        }

        using (var real = KeyValueStore.Open(directory["new/store"], new() { FileSystem = RealDisk.Door }))
        {
            Assert.Equal("value 7", real.Get("key 007"));
            Assert.Null(real.Get("key 050"));
            real.Compact();
            real.Put("later", "x");
            Assert.True(real.Verify().IsClean);
        }

        using (var real = KeyValueStore.Open(directory["new/store"], new() { FileSystem = RealDisk.Door }))
            Assert.Equal("x", real.Get("later"));
    }

    [Fact]
    public void A_later_put_replaces_an_earlier_one_and_a_delete_removes_it()
    {
        store.Put("a", "1");
        store.Put("a", "2");
        Assert.Equal("2", store.Get("a"));
        store.Delete("a");
        Assert.Null(store.Get("a"));
        store.Delete("never there");
    }

    [Fact]
    public void Later_entries_of_a_batch_win_and_an_empty_batch_is_no_write()
    {
        var batch = new WriteBatch();
        store.Write(batch);
        batch.Put("a"u8, "1"u8);
        batch.Delete("a"u8);
        batch.Put("b"u8, "1"u8);
        batch.Put("b"u8, "2"u8);
        store.Write(batch);
        Assert.Equal("b=2", store.ReadAll());
        batch.Clear();
        Assert.Equal(0, batch.Count);
        batch.Delete("b"u8);
        store.Write(batch);
        Assert.Equal("", store.ReadAll());
    }

    [Fact]
    public void Keys_and_values_may_have_any_length_up_to_the_limits()
    {
        var longest = new byte[KeyValueOptions.KeyLimitBytes];
        longest.AsSpan().Fill(0xFF);
        store.Put(longest, "x"u8);
        store.Put("empty"u8, default);
        var large = new byte[3 << 20];
        large[^1] = 7;
        store.Put("large"u8, large);
        store.Flush();
        Assert.Equal("x"u8.ToArray(), store.Get(longest));
        Assert.Empty(store.Get("empty"u8)!);
        Assert.Equal(large, store.Get("large"u8));
        Assert.True(store.Verify().IsClean);
    }

    [Fact]
    public void Keys_and_values_beyond_the_limits_are_refused_with_the_limit_on_every_path()
    {
        var batch = new WriteBatch();
        Assert.Equal(65_535, Assert.Throws<KeyLengthException>(() => store.Put([], default)).LimitBytes);
        Assert.Equal(65_536, Assert.Throws<KeyLengthException>(() => store.Delete(new byte[65_536])).LengthBytes);
        Assert.Throws<KeyLengthException>(() => batch.Put(new byte[65_536], default));
        Assert.Equal(64 << 20, Assert.Throws<ValueTooLongException>(() => batch.Put("a"u8, new byte[(64 << 20) + 1])).LimitBytes);
        Assert.Equal(0, batch.Count);
        Assert.Equal("", store.ReadAll());
    }

    [Fact]
    public void A_store_may_set_lower_limits()
    {
        using var strict = KeyValueStore.Open("/strict", TestStore.Small(TestStore.AnyDisk()) with { MaxKeyBytes = 3, MaxValueBytes = 4 });
        strict.Put("abc", "1234");
        Assert.Equal(3, Assert.Throws<KeyLengthException>(() => strict.Put("abcd", "")).LimitBytes);
        Assert.Equal(4, Assert.Throws<ValueTooLongException>(() => strict.Put("a", "12345")).LimitBytes);
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            KeyValueStore.Open("/other", TestStore.Small(TestStore.AnyDisk()) with { MaxKeyBytes = 65_536 }));
    }

    [Fact]
    public void A_batch_does_not_outgrow_its_limit()
    {
        var batch = new WriteBatch();
        var part = new byte[KeyValueOptions.ValueLimitBytes];
        for (var i = 0; i < 3; i++) batch.Put("a"u8, part);
        Assert.Equal(WriteBatch.MaxBytes, Assert.Throws<BatchTooLargeException>(() => batch.Put("a"u8, part)).LimitBytes);
        Assert.Equal(3, batch.Count);
    }

    [Fact]
    public void A_batch_of_a_hundred_thousand_keys_is_applied_as_one()
    {
        var batch = new WriteBatch();
        for (var i = 0; i < 100_000; i++) batch.Put(TestStore.Bytes($"{i:d6}"), "v"u8);
        store.Write(batch);
        Assert.Equal(100_000UL, store.VisibleSequence);
        Assert.Equal("v", store.Get("099999"));
    }

    [Fact]
    public void Values_are_read_into_writers_and_spans_without_a_new_array()
    {
        store.Put("a", "hello");
        var writer = new ArrayBufferWriter<byte>();
        Assert.True(store.TryGet("a"u8, writer));
        Assert.False(store.TryGet("b"u8, writer));
        Assert.Equal("hello", Encoding.UTF8.GetString(writer.WrittenSpan));
        Span<byte> small = stackalloc byte[5];
        Assert.True(store.TryGet("a"u8, small, out var length));
        Assert.Equal(5, length);
        Assert.True(small.SequenceEqual("hello"u8));
        Assert.False(store.TryGet("b"u8, small, out length));
        Assert.Equal(0, length);
    }

    [Fact]
    public void Memory_that_is_too_short_for_a_value_gets_nothing_of_it_and_its_length_says_so()
    {
        var longValue = new string('v', 300); // It stays in the log.
        store.Put("short", "hello");
        store.Put("long", longValue);
        using var snapshot = store.CreateSnapshot();
        var small = new byte[4];
        Assert.False(store.TryGet("short"u8, small, out var length));
        Assert.Equal(5, length);
        Assert.False(store.TryGet("long"u8, small, out length));
        Assert.Equal(300, length);
        Assert.False(snapshot.TryGet("long"u8, small, out length));
        Assert.Equal(300, length);
        Assert.Equal(new byte[4], small);
    }

    [Fact]
    public void Reading_does_not_allocate()
    {
        store.Put("in a table", "1");
        store.Flush();
        store.Put("in memory", "2");
        var target = new byte[10];
        for (var i = 0; i < 100; i++) Read();
        Assert.Equal(0, AllocationMeter.LeastBytes(() =>
        {
            for (var i = 0; i < 100; i++) Read();
        }));

        void Read()
        {
            store.TryGet("in a table"u8, target, out _);
            store.TryGet("in memory"u8, target, out _);
            store.TryGet("absent"u8, target, out _);
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Ranges_and_prefixes_are_scanned_in_both_directions(bool fromTables)
    {
        foreach (var key in (string[])["a", "b", "b\u0001", "ba", "bb", "c", "d"]) store.Put(key, key.ToUpperInvariant());
        store.Put("bz", "gone");
        store.Delete("bz");
        if (fromTables) store.Flush();
        Assert.Equal("b=B b\u0001=B\u0001 ba=BA bb=BB", store.Scan(KeyRange.Prefix("b"u8)).ReadAll());
        Assert.Equal("bb=BB ba=BA b\u0001=B\u0001 b=B", store.Scan(KeyRange.Prefix("b"u8), ScanDirection.Backward).ReadAll());
        Assert.Equal("ba=BA bb=BB", store.Scan(KeyRange.Between("ba"u8, "c"u8)).ReadAll());
        Assert.Equal("bb=BB ba=BA", store.Scan(KeyRange.Between("ba"u8, "c"u8), ScanDirection.Backward).ReadAll());
        Assert.Equal("c=C d=D", store.Scan(KeyRange.From("bc"u8)).ReadAll());
        Assert.Equal("d=D c=C", store.Scan(KeyRange.From("bc"u8), ScanDirection.Backward).ReadAll());
        Assert.Equal("a=A b=B", store.Scan(KeyRange.Before("b\u0001"u8)).ReadAll());
        Assert.Equal("b=B a=A", store.Scan(KeyRange.Before("b\u0001"u8), ScanDirection.Backward).ReadAll());
        Assert.Equal("", store.Scan(KeyRange.Between("x"u8, "x"u8)).ReadAll());
        Assert.Equal("", store.Scan(KeyRange.From("x"u8)).ReadAll());
        Assert.Equal("", store.Scan(KeyRange.Between("A"u8, "B"u8), ScanDirection.Backward).ReadAll());
        Assert.Throws<ArgumentException>(() => KeyRange.Between("b"u8, "a"u8));
    }

    [Theory]
    [InlineData(ScanDirection.Forward)]
    [InlineData(ScanDirection.Backward)]
    public void Moving_a_cursor_does_not_allocate(ScanDirection direction)
    {
        for (var i = 0; i < 2000; i++) store.Put($"key{i:d5}", $"value {i}", Durability.Relaxed);
        store.Compact();
        for (var i = 0; i < 2000; i += 3) store.Put($"key{i:d5}", $"newer {i}", Durability.Relaxed);
        store.ReadAll(direction);
        using var cursor = store.Scan(KeyRange.All, direction);
        for (var i = 0; i < 300; i++) cursor.MoveNext();
        var moved = 0;
        var least = AllocationMeter.LeastBytes(() =>
        {
            // Within a table: opening the next one of a level is paid once for each.
            for (var i = 0; i < 20; i++) moved += cursor.MoveNext() && cursor.Value.Length > 6 ? 1 : 0;
        });
        Assert.Equal(0, least);
        Assert.True(moved >= 20);
    }

    [Fact]
    public void A_range_that_ends_before_it_starts_is_refused_and_an_empty_one_is_empty()
    {
        Assert.Throws<ArgumentException>(() => KeyRange.Between("b"u8, "a"u8));
        store.Put("a", "1");
        Assert.Equal("", store.Scan(KeyRange.Between("a"u8, "a"u8)).ReadAll());
        Assert.Equal("", store.Scan(KeyRange.Between("a"u8, "a"u8), ScanDirection.Backward).ReadAll());
    }

    [Fact]
    public void A_prefix_of_the_largest_bytes_has_no_upper_bound()
    {
        store.Put([0xFF, 0xFF, 3], "x"u8);
        store.Put([0xFE], "y"u8);
        using var cursor = store.Scan(KeyRange.Prefix([0xFF, 0xFF]));
        Assert.True(cursor.MoveNext());
        Assert.Equal([0xFF, 0xFF, 3], cursor.Key.ToArray());
        Assert.False(cursor.MoveNext());
    }

    [Fact]
    public void A_cursor_goes_on_over_what_it_began_with_while_all_is_deleted_and_compacted()
    {
        for (var i = 0; i < 200; i++) store.Put($"{i:d3}", new string('x', 50));
        using var cursor = store.Scan(KeyRange.All);
        var count = 0;
        while (cursor.MoveNext())
        {
            store.Delete(cursor.Key);
            if (++count % 50 == 0) store.Compact();
        }

        Assert.Equal(200, count);
        Assert.Equal("", store.ReadAll());
    }

    [Fact]
    public void A_cursor_off_its_entries_says_so()
    {
        store.Put("a", "1");
        using var cursor = store.Scan(KeyRange.All);
        Assert.Throws<InvalidOperationException>(() => cursor.Key.ToArray());
        Assert.True(cursor.MoveNext());
        Assert.False(cursor.MoveNext());
        Assert.False(cursor.MoveNext());
        Assert.Throws<InvalidOperationException>(() => cursor.Value.ToArray());
    }

    [Fact]
    public void What_outlives_the_store_is_disposed_with_it()
    {
        for (var i = 0; i < 500; i++) store.Put($"{i:d3}", new string('x', 50));
        var cursor = store.Scan(KeyRange.All);
        var snapshot = store.CreateSnapshot();
        Assert.True(cursor.MoveNext());
        store.Dispose();
        store.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cursor.MoveNext());
        Assert.Throws<ObjectDisposedException>(() => snapshot.Get("001"));
        Assert.Throws<ObjectDisposedException>(() => snapshot.Scan(KeyRange.All));
        Assert.Throws<ObjectDisposedException>(() => store.Get("001"));
        Assert.Throws<ObjectDisposedException>(() => store.Put("001", "x"));
        Assert.Throws<ObjectDisposedException>(() => store.Sync());
        Assert.Throws<ObjectDisposedException>(() => store.Flush());
        Assert.Throws<ObjectDisposedException>(() => store.CreateSnapshot());
        Assert.Throws<ObjectDisposedException>(() => store.Verify());
        cursor.Dispose();
        cursor.Dispose();
        snapshot.Dispose();
        snapshot.Dispose();
    }

    [Fact]
    public void A_snapshot_sees_the_store_as_it_was_through_flushes_and_compactions()
    {
        store.Put("a", "1");
        store.Put("b", "1");
        using var first = store.CreateSnapshot();
        store.Put("a", "2");
        store.Delete("b");
        using var second = store.CreateSnapshot();
        store.Put("b", "3");
        store.Compact();
        store.Delete("a");
        store.Compact();
        Assert.Equal("a=1 b=1", first.Scan(KeyRange.All).ReadAll());
        Assert.Equal("b=1 a=1", first.Scan(KeyRange.All, ScanDirection.Backward).ReadAll());
        Assert.Equal("a=2", second.Scan(KeyRange.All).ReadAll());
        Assert.Equal("1", first.Get("b"));
        Assert.Null(second.Get("b"));
        Assert.Equal("b=3", store.ReadAll());
        Assert.Equal(2, store.GetStatistics().Snapshots);
    }

    [Fact]
    public void Compaction_drops_what_nobody_can_see_and_gives_the_space_back()
    {
        for (var i = 0; i < 500; i++) store.Put($"{i:d3}", new string('x', 100));
        store.Compact();
        Assert.Equal(500, store.GetStatistics().TableEntries);
        for (var i = 0; i < 500; i++) store.Delete($"{i:d3}");
        store.Compact();
        var statistics = store.GetStatistics();
        Assert.Equal(0, statistics.TableEntries);
        Assert.Equal(0, statistics.TableBytes);
        Assert.Equal(0, statistics.TablesPerLevel.Sum());
    }

    [Fact]
    public void Files_that_are_not_needed_any_more_are_gone()
    {
        var disk = TestStore.AnyDisk();
        using (var busy = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)))
        {
            for (var i = 0; i < 2000; i++) busy.Put($"{i % 300:d3}", new string('x', 50));
            busy.Compact();
            var statistics = busy.GetStatistics();
            Assert.Equal(
                statistics.TablesPerLevel.Sum() + statistics.LogSegments,
                disk.List(TestStore.Directory).Count(name => StoreFiles.IsTableName(name, out _) || StoreFiles.IsLogName(name, out _)));
        }
    }

    [Fact]
    public void Opening_and_closing_often_does_not_gather_log_segments_without_end()
    {
        var disk = TestStore.AnyDisk();
        for (var i = 0; i < 40; i++)
        {
            using var brief = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
            brief.Put($"{i:d2}", "x");
            Assert.True(brief.GetStatistics().LogSegments < 12);
        }

        using var last = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        Assert.Equal(40, last.ReadAll().Split(' ').Length);
        Assert.Equal(40UL, last.VisibleSequence);
    }
}
