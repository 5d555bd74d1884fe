using System.Buffers;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Callers that do what they should not: each gets a clear error or what the documentation says, and nothing is lost.
/// docs/testing.md lists which test answers which case.
/// </summary>
[Trait("disk", "any")]
public sealed class BadCallsTests : IDisposable
{
    readonly IFileSystem disk = TestStore.AnyDisk();
    readonly KeyValueStore store;

    public BadCallsTests()
    {
        store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        store.Put("kept", "x");
    }

    public void Dispose()
    {
        store.Dispose();
        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        Assert.Equal("x", reopened.Get("kept"));
        Assert.Empty(reopened.Verify().Problems);
    }

    [Fact]
    public void No_key_and_an_empty_key_are_refused_by_every_write_and_found_by_no_read()
    {
        foreach (var key in (byte[]?[])[null, []])
        {
            var batch = new WriteBatch();
            Assert.Equal(0, Assert.Throws<KeyLengthException>(() => store.Put(key, "x"u8)).LengthBytes);
            Assert.Throws<KeyLengthException>(() => store.Put(key, "x"u8, TimeSpan.FromHours(1)));
            Assert.Throws<KeyLengthException>(() => store.Delete(key));
            Assert.Throws<KeyLengthException>(() => batch.Put(key, "x"u8));
            Assert.Throws<KeyLengthException>(() => batch.Delete(key));
            Assert.Equal(0, batch.Count);
            Assert.Null(store.Get(key));
            using var snapshot = store.CreateSnapshot();
            Assert.Null(snapshot.Get(key));
        }

        Assert.Throws<ArgumentNullException>(() => KeyValueStore.Open(null!));
        Assert.Throws<ArgumentException>(() => KeyValueStore.Open(""));
        Assert.Equal("kept=x", store.ReadAll());
    }

    [Fact]
    public void A_key_of_the_longest_length_is_taken_and_one_byte_more_is_refused_on_every_path()
    {
        var longest = new byte[KeyValueOptions.KeyLimitBytes];
        longest.AsSpan().Fill(0xFE);
        store.Put(longest, "longest"u8);
        Assert.Equal("longest"u8.ToArray(), store.Get(longest));
        byte[] more = [.. longest, 1];
        var batch = new WriteBatch();
        Assert.Equal(65_536, Assert.Throws<KeyLengthException>(() => store.Put(more, default)).LengthBytes);
        Assert.Throws<KeyLengthException>(() => store.Put(more, default, TimeSpan.FromHours(1)));
        Assert.Throws<KeyLengthException>(() => store.Delete(more));
        Assert.Throws<KeyLengthException>(() => batch.Put(more, default));
        Assert.Throws<KeyLengthException>(() => batch.Delete(more));
        Assert.Null(store.Get(more));
        store.Compact();
        Assert.Equal("longest"u8.ToArray(), store.Get(longest));
    }

    [Fact]
    public void A_value_of_no_bytes_is_a_value_and_not_a_missing_one()
    {
        store.Put("empty"u8, default);
        store.Flush();
        Assert.Empty(store.Get("empty"u8)!);
        Assert.True(store.TryGet("empty"u8, [], out var length));
        Assert.Equal(0, length);
        Assert.Equal("empty= kept=x", store.ReadAll());
    }

    [Fact]
    public void A_value_of_the_longest_length_is_taken_and_one_byte_more_is_refused_on_every_path()
    {
        var longest = new byte[KeyValueOptions.ValueLimitBytes];
        longest[^1] = 7;
        store.Put("long"u8, longest);
        Assert.True(store.Get("long"u8).AsSpan().SequenceEqual(longest));
        var more = new byte[longest.Length + 1];
        var batch = new WriteBatch();
        Assert.Equal(more.Length, Assert.Throws<ValueTooLongException>(() => store.Put("long"u8, more)).LengthBytes);
        Assert.Throws<ValueTooLongException>(() => store.Put("long"u8, more, TimeSpan.FromHours(1)));
        Assert.Throws<ValueTooLongException>(() => batch.Put("long"u8, more));
        Assert.Throws<ValueTooLongException>(() => batch.Put("long"u8, more, DateTimeOffset.MaxValue));
        Assert.True(store.Get("long"u8).AsSpan().SequenceEqual(longest));
        store.Delete("long");
    }

    [Fact]
    public void A_range_whose_start_is_beyond_its_end_is_refused_and_not_taken_for_everything()
    {
        Assert.Throws<ArgumentException>(() => KeyRange.Between("b"u8, "a"u8));
        Assert.Throws<ArgumentException>(() => KeyRange.Between("aa"u8, "a"u8));
        Assert.Equal("", store.Scan(KeyRange.Between("k"u8, "k"u8)).ReadAll());
    }

    [Fact]
    public void A_cursor_does_not_mind_that_its_keys_are_deleted_while_it_walks()
    {
        for (var i = 0; i < 50; i++) store.Put($"{i:d2}", "x");
        foreach (var direction in (ScanDirection[])[ScanDirection.Forward, ScanDirection.Backward])
        {
            using var cursor = store.Scan(KeyRange.Between("0"u8, "9"u8), direction);
            var count = 0;
            for (; cursor.MoveNext(); count++)
            {
                if (direction == ScanDirection.Backward) store.Delete(cursor.Key);
            }

            Assert.Equal(50, count);
        }

        Assert.Equal("kept=x", store.ReadAll());
    }

    [Fact]
    public void A_batch_written_twice_is_applied_twice_and_a_cleared_or_dropped_one_not_at_all()
    {
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        store.Write(batch);
        store.Delete("a");
        store.Write(batch);
        Assert.Equal("1", store.Get("a"));
        batch.Clear();
        var before = store.VisibleSequence;
        store.Write(batch);
        batch.Put("never"u8, "x"u8);
        Assert.Equal(before, store.VisibleSequence);
        Assert.Null(store.Get("never"));
    }

    [Fact]
    public void Writing_on_the_thread_that_holds_cursors_and_snapshots_does_not_block()
    {
        using var snapshot = store.CreateSnapshot();
        using var cursor = store.Scan(KeyRange.All);
        Assert.True(cursor.MoveNext());
        for (var i = 0; i < 400; i++) store.Put($"{i:d3}", new string('x', 100));
        store.Compact();
        Assert.Equal("kept=x", snapshot.Scan(KeyRange.All).ReadAll());
        Assert.False(cursor.MoveNext());
        for (var i = 0; i < 400; i++) store.Delete($"{i:d3}");
    }

    [Fact]
    public void A_buffer_that_throws_while_a_value_is_read_into_it_leaves_nothing_behind()
    {
        for (var i = 0; i < 200; i++)
        {
            store.Put("kept", "x");
            Assert.Throws<InvalidOperationException>(() => store.TryGet("kept"u8, new ThrowingBuffer()));
            using var snapshot = store.CreateSnapshot();
            Assert.Throws<InvalidOperationException>(() => snapshot.TryGet("kept"u8, new ThrowingBuffer()));
        }

        store.Compact();
        Assert.Equal("x", store.Get("kept"));
        Assert.Equal(0, store.GetStatistics().Snapshots);
    }

    [Fact]
    public void A_snapshot_held_while_the_disk_fills_up_keeps_its_view_and_gives_the_space_back_when_it_goes()
    {
        var small = new SimulatedFileSystem(isRecording: false) { CapacityBytes = 400 << 10 };
        using var full = KeyValueStore.Open("/full", TestStore.Small(small));
        for (var i = 0; i < 50; i++) full.Put($"{i:d2}", new string('a', 500));
        using (var snapshot = full.CreateSnapshot())
        {
            var before = snapshot.Scan(KeyRange.All).ReadAll();
            var refused = Assert.Throws<StorageException>(() =>
            {
                for (var i = 0; i < 100_000; i++) full.Put($"{i % 50:d2}", new string('b', 500));
            });
            Assert.Equal(StorageErrorKind.NoSpace, refused.Kind);
            Assert.Equal(before, snapshot.Scan(KeyRange.All).ReadAll());
        }

        small.CapacityBytes = 4 << 20;
        full.Compact();
        Assert.True(full.GetStatistics().TableBytes < 100 << 10);
        full.Put("more", "x");
        Assert.Empty(full.Verify().Problems);
    }

    [Fact]
    public async Task Cancelling_a_write_that_is_under_way_does_not_tear_it()
    {
        string? last = null;
        for (var i = 0; i < 100; i++)
        {
            using var cancellation = new CancellationTokenSource();
            var batch = new WriteBatch();
            batch.Put("left"u8, TestStore.Bytes($"{i}"));
            batch.Put("right"u8, TestStore.Bytes($"{i}"));
            var write = store.WriteAsync(batch, cancellationToken: cancellation.Token).AsTask();
            await cancellation.CancelAsync();
            try
            {
                await write;
                last = $"{i}";
            }
            catch (OperationCanceledException)
            {
                // It had not been taken into a group yet.
            }

            Assert.Equal(last, store.Get("left"));
            Assert.Equal(last, store.Get("right"));
        }
    }

    [Fact]
    public async Task Memory_that_changes_during_a_put_gives_some_value_and_never_a_damaged_store()
    {
        var value = new byte[4000];
        using var done = new CancellationTokenSource();
        var scribbler = Task.Run(() =>
        {
            for (var i = 0; !done.IsCancellationRequested; i++) value.AsSpan().Fill((byte)i);
        });
        for (var i = 0; i < 500; i++) store.Put(TestStore.Bytes($"{i:d3}"), value, Durability.Relaxed);
        await done.CancelAsync();
        await scribbler;
        store.Compact();
        Assert.Empty(store.Verify().Problems);
        Assert.Equal(4000, store.Get("499"u8)!.Length);
        for (var i = 0; i < 500; i++) store.Delete($"{i:d3}");
    }

    [Fact]
    public void What_a_cursor_lent_is_refused_after_its_end_and_after_it_is_disposed()
    {
        var cursor = store.Scan(KeyRange.All);
        Assert.Throws<InvalidOperationException>(() => cursor.Key.ToArray());
        Assert.True(cursor.MoveNext());
        Assert.Equal("x"u8.ToArray(), cursor.Value.ToArray());
        Assert.False(cursor.MoveNext());
        Assert.Throws<InvalidOperationException>(() => cursor.Value.ToArray());
        cursor.Dispose();
        Assert.Throws<InvalidOperationException>(() => cursor.Key.ToArray());
        Assert.Throws<ObjectDisposedException>(() => cursor.MoveNext());
    }

    [Fact]
    public void A_million_keys_in_one_batch_are_one_write()
    {
        using var large = KeyValueStore.Open("/large", TestStore.Small(TestStore.AnyDisk()) with { MemTableBytes = 256 << 20 });
        var batch = new WriteBatch();
        Span<byte> key = stackalloc byte[4];
        for (var i = 0; i < 1_000_000; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(key, i);
            batch.Put(key, "v"u8);
        }

        large.Write(batch);
        Assert.Equal(1_000_000UL, large.VisibleSequence);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(key, 999_999);
        Assert.Equal("v"u8.ToArray(), large.Get(key));
    }

    [Fact]
    public void Sizes_may_change_between_openings()
    {
        var other = TestStore.AnyDisk();
        var expected = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var round = 0; round < 6; round++)
        {
            var options = TestStore.Small(other) with
            {
                BlockBytes = 128 << round,
                TableBytes = 2048 << round,
                MemTableBytes = 40_000 >> round,
                LogChunkBytes = 512 << round,
                BlockCacheBytes = round % 2 == 0 ? 0 : 1 << 20,
            };
            using var changed = KeyValueStore.Open("/changed", options);
            for (var i = 0; i < 60; i++)
            {
                var value = new string((char)('a' + round), 10 + (i * 31 % 700));
                changed.Put($"{(i * 7) % 90:d2}", value);
                expected[$"{(i * 7) % 90:d2}"] = value;
            }

            Assert.Equal(string.Join(' ', expected.Select(pair => $"{pair.Key}={pair.Value}")), changed.ReadAll());
            Assert.Empty(changed.Verify().Problems);
        }
    }

    [Fact]
    public void The_same_directory_by_another_name_is_the_same_store()
    {
        using var directory = new TemporaryDirectory();
        using (var real = KeyValueStore.Open(directory["store"], new() { FileSystem = RealDisk.Door }))
        {
            File.CreateSymbolicLink(directory["link"], directory["store"]);
            Directory.CreateDirectory(directory["other"]);
            string[] names =
            [
                directory["store"], directory["store"] + "/", directory["link"], directory["other/../store"],
                Path.GetRelativePath(Environment.CurrentDirectory, directory["store"]),
            ];
            foreach (var name in names)
            {
                var refused = Assert.Throws<LockedException>(() => KeyValueStore.Open(name));
                Assert.Equal(Environment.ProcessId, refused.OwnerProcessId);
            }

            real.Put("a", "1");
        }

        using var byLink = KeyValueStore.Open(directory["link"], new() { FileSystem = RealDisk.Door });
        Assert.Equal("1", byLink.Get("a"));
    }

    sealed class ThrowingBuffer : IBufferWriter<byte>
    {
        public void Advance(int count) => throw new InvalidOperationException("from the caller's buffer");

        public Memory<byte> GetMemory(int sizeHint = 0) => throw new InvalidOperationException("from the caller's buffer");

        public Span<byte> GetSpan(int sizeHint = 0) => throw new InvalidOperationException("from the caller's buffer");
    }
}
