using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Writes that take effect only if keys are what their caller believes.</summary>
public sealed class ConditionalWriteTests : IDisposable
{
    readonly SimulatedClock clock = new();
    readonly SimulatedFileSystem disk = TestStore.NewDisk();
    readonly KeyValueStore store;

    public ConditionalWriteTests() => store = Open();

    KeyValueStore Open() => KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { TimeProvider = clock });

    public void Dispose()
    {
        store.Dispose();
        using var reopened = Open();
        Assert.Empty(reopened.Verify().Problems);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void An_absent_key_is_put_once_and_again_when_it_was_deleted(bool isFlushed)
    {
        Assert.True(store.PutIfAbsent("a"u8, "1"u8));
        if (isFlushed) store.Flush();
        Assert.False(store.PutIfAbsent("a"u8, "2"u8));
        Assert.Equal("1", store.Get("a"));
        store.Delete("a");
        if (isFlushed) store.Compact();
        Assert.True(store.PutIfAbsent("a"u8, "3"u8));
        Assert.Equal("3", store.Get("a"));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_key_is_replaced_and_deleted_only_by_who_has_read_its_newest_write(bool isFlushed)
    {
        store.Put("a", "1");
        Assert.True(store.TryGetInfo("a"u8, out var first));
        if (isFlushed) store.Flush();
        Assert.True(store.PutIfUnchanged("a"u8, "2"u8, first.Sequence));
        Assert.False(store.PutIfUnchanged("a"u8, "3"u8, first.Sequence));
        Assert.False(store.DeleteIfUnchanged("a"u8, first.Sequence));
        store.Put("a", "2"); // The same value, and yet another write.
        if (isFlushed) store.Compact();
        Assert.Equal("2"u8.ToArray(), store.Get("a"u8, out var second));
        store.Put("b", "x");
        Assert.True(store.DeleteIfUnchanged("a"u8, second.Sequence, Durability.Relaxed));
        Assert.False(store.PutIfUnchanged("a"u8, "4"u8, second.Sequence));
        Assert.True(store.PutIfUnchanged("a"u8, "5"u8, 0));
        Assert.False(store.DeleteIfUnchanged("a"u8, 0));
        Assert.Equal("a=5 b=x", store.ReadAll());
    }

    [Fact]
    public void A_batch_is_written_if_all_of_its_conditions_hold_and_not_at_all_otherwise()
    {
        store.Put("a", "1");
        Assert.True(store.TryGetInfo("a"u8, out var info));
        var batch = new WriteBatch();
        batch.Put("b"u8, "2"u8);
        batch.Delete("a"u8);
        var conditions = new WriteConditions().RequireUnchanged("a"u8, info.Sequence).RequireAbsent("c"u8);
        Assert.Equal(2, conditions.Count);
        store.Put("c", "3");
        Assert.False(store.TryWrite(batch, conditions));
        Assert.Equal("a=1 c=3", store.ReadAll());
        store.Delete("c");
        Assert.True(store.TryWrite(batch, conditions, Durability.Relaxed));
        Assert.Equal("b=2", store.ReadAll());
        conditions.Clear();
        Assert.True(store.TryWrite(batch, conditions)); // Nothing has to hold.
        var before = store.VisibleSequence;
        Assert.True(store.TryWrite(new WriteBatch(), new WriteConditions().RequireAbsent("a"u8)));
        Assert.False(store.TryWrite(new WriteBatch(), new WriteConditions().RequireAbsent("b"u8)));
        Assert.Equal(before, store.VisibleSequence);
    }

    [Fact]
    public async Task No_thread_need_wait_for_a_write_with_conditions()
    {
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        var task = store.TryWriteAsync(batch, new WriteConditions().RequireAbsent("a"u8));
        Assert.True(await task);
        batch.Clear(); // It is free again.
        batch.Put("a"u8, "2"u8);
        Assert.False(await store.TryWriteAsync(batch, new WriteConditions().RequireAbsent("a"u8)));
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await store.TryWriteAsync(batch, new WriteConditions(), cancellationToken: cancelled.Token));
        batch.Clear();
        Assert.Equal("a=1", store.ReadAll());
    }

    [Fact]
    public void What_has_expired_is_absent_and_a_lease_is_taken_by_one_at_a_time()
    {
        Assert.True(store.PutIfAbsent("lease"u8, "alice"u8, TimeSpan.FromMilliseconds(10)));
        Assert.True(store.TryGetInfo("lease"u8, out var ofAlice));
        Assert.False(store.PutIfAbsent("lease"u8, "bob"u8, TimeSpan.FromMilliseconds(10)));
        clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.False(store.PutIfUnchanged("lease"u8, "alice again"u8, ofAlice.Sequence));
        Assert.True(store.PutIfAbsent("lease"u8, "bob"u8, TimeSpan.FromMilliseconds(10)));
        Assert.False(store.DeleteIfUnchanged("lease"u8, ofAlice.Sequence));
        Assert.Equal("bob", store.Get("lease"));
    }

    [Theory, InlineData(5), InlineData(500)]
    public void A_renewed_entry_lives_on_with_its_value_and_an_absent_one_does_not_come_back(int valueBytes)
    {
        var value = new string('v', valueBytes);
        store.Put("a"u8, TestStore.Bytes(value), TimeSpan.FromMilliseconds(10));
        store.Put("stays", value);
        store.Flush();
        clock.Advance(TimeSpan.FromMilliseconds(9));
        Assert.True(store.TryRenew("a"u8, TimeSpan.FromMilliseconds(10)));
        Assert.True(store.TryRenew("stays"u8, TimeSpan.FromMilliseconds(5)));
        clock.Advance(TimeSpan.FromMilliseconds(9));
        Assert.Equal($"a={value}", store.ReadAll());
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(store.TryRenew("a"u8, TimeSpan.FromMilliseconds(10)));
        Assert.False(store.TryRenew("never"u8, TimeSpan.FromMilliseconds(10)));
        Assert.Equal("", store.ReadAll());
        Assert.Throws<ArgumentOutOfRangeException>("timeToLive", () =>
        {
            store.Put("b", "1");
            store.TryRenew("b"u8, TimeSpan.Zero);
        });
        Assert.Equal("b=1", store.ReadAll());
    }

    [Fact]
    public void A_counter_is_incremented_and_what_is_no_counter_is_refused()
    {
        Assert.Equal(5, store.Increment("n"u8, 5));
        Assert.Equal(3, store.Increment("n"u8, -2, Durability.Relaxed));
        Assert.Equal(3, BinaryPrimitives.ReadInt64LittleEndian(store.Get("n"u8)));
        Assert.Throws<OverflowException>(() => store.Increment("n"u8, long.MaxValue));
        store.Put("text", "hello");
        var refused = Assert.Throws<CounterException>(() => store.Increment("text"u8, 1));
        Assert.Equal((5, FailureClass.Conflict), (refused.LengthBytes, refused.FailureClass));
        Assert.Contains("\"text\"", refused.Message, StringComparison.Ordinal);
        Assert.Equal(3, store.Increment("n"u8, 0));
    }

    [Fact]
    public void A_counter_that_expires_does_so_however_often_it_is_incremented()
    {
        store.Put("window"u8, BitConverter.GetBytes(7L), TimeSpan.FromMinutes(1));
        Assert.True(store.TryGetInfo("window"u8, out var before));
        clock.Advance(TimeSpan.FromSeconds(50));
        Assert.Equal(8, store.Increment("window"u8, 1));
        Assert.True(store.TryGetInfo("window"u8, out var after));
        Assert.NotNull(before.ExpiresAt);
        Assert.Equal(before.ExpiresAt, after.ExpiresAt);
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, store.Increment("window"u8, 1));
        Assert.True(store.TryGetInfo("window"u8, out after));
        Assert.Null(after.ExpiresAt);
    }

    [Fact]
    public void A_counter_that_begins_with_a_time_to_live_counts_in_windows_and_one_that_is_there_keeps_its_end()
    {
        var window = TimeSpan.FromMinutes(1);
        for (var round = 0; round < 3; round++)
        {
            Assert.Equal(1, store.Increment("window"u8, 1, window));
            clock.Advance(TimeSpan.FromSeconds(59));
            Assert.Equal(3, store.Increment("window"u8, 2, window));
            if (round == 1) store.Compact();
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.False(store.ContainsKey("window"u8));
        }

        store.Increment("ever"u8, 1);
        store.Increment("ever"u8, 1, window);
        Assert.True(store.TryGetInfo("ever"u8, out var info));
        Assert.Null(info.ExpiresAt);
        Assert.Throws<ArgumentOutOfRangeException>("timeToLive", () => store.Increment("ever"u8, 1, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>("timeToLive", () => store.Increment("new"u8, 1, -window));
        Assert.Equal(2, store.Increment("ever"u8, 0));
        Assert.False(store.ContainsKey("new"u8));
    }

    [Fact]
    public void Conditions_take_part_in_no_other_promise_limits_and_closing_hold_for_them()
    {
        foreach (var key in (byte[]?[])[null, [], new byte[KeyValueOptions.KeyLimitBytes + 1]])
        {
            Assert.Throws<KeyLengthException>(() => new WriteConditions().RequireAbsent(key));
            Assert.Throws<KeyLengthException>(() => new WriteConditions().RequireUnchanged(key, 1));
            Assert.Throws<KeyLengthException>(() => store.PutIfAbsent(key, "x"u8));
            Assert.Throws<KeyLengthException>(() => store.PutIfAbsent(key, "x"u8, TimeSpan.FromDays(1)));
            Assert.Throws<KeyLengthException>(() => store.PutIfUnchanged(key, "x"u8, 1));
            Assert.Throws<KeyLengthException>(() => store.DeleteIfUnchanged(key, 1));
            Assert.Throws<KeyLengthException>(() => store.Increment(key, 1));
            Assert.False(store.TryRenew(key, TimeSpan.FromDays(1)));
        }

        var tooLong = new byte[KeyValueOptions.ValueLimitBytes + 1];
        Assert.Throws<ValueTooLongException>(() => store.PutIfAbsent("a"u8, tooLong));
        Assert.Throws<ValueTooLongException>(() => store.PutIfUnchanged("a"u8, tooLong, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => store.PutIfAbsent("a"u8, "x"u8, (Durability)9));
        Assert.Throws<ArgumentNullException>("conditions", () => store.TryWrite(new WriteBatch(), null!));
        Assert.Throws<ArgumentNullException>("batch", () => store.TryWrite(null!, new WriteConditions()));
        Assert.Throws<ArgumentNullException>("conditions", () => { _ = store.TryWriteAsync(new WriteBatch(), null!).AsTask(); });
        using (var closed = KeyValueStore.Open("/closed", TestStore.Small(TestStore.NewDisk())))
        {
            closed.Dispose();
            Assert.Throws<ObjectDisposedException>(() => closed.PutIfAbsent("a"u8, "x"u8));
            Assert.Throws<ObjectDisposedException>(() => closed.TryRenew("a"u8, TimeSpan.FromDays(1)));
            Assert.Throws<ObjectDisposedException>(() => closed.Increment("a"u8, 1));
            Assert.Throws<ObjectDisposedException>(() => { _ = closed.TryWriteAsync(new WriteBatch(), new WriteConditions()).AsTask(); });
        }

        Assert.Equal("", store.ReadAll());
    }

    [Fact]
    public void A_full_disk_refuses_a_conditional_write_as_any_other_and_leaves_nothing_of_it()
    {
        var small = new SimulatedFileSystem(isRecording: false) { CapacityBytes = 300 << 10 };
        using var full = KeyValueStore.Open("/full", TestStore.Small(small));
        var refused = Assert.Throws<StorageException>(() =>
        {
            for (var i = 0; i < 100_000; i++) Assert.True(full.PutIfAbsent(TestStore.Bytes($"{i}"), new byte[500], Durability.Unflushed));
        });
        Assert.Equal(StorageErrorKind.NoSpace, refused.Kind);
        Assert.Null(full.Failure);
        var count = 0;
        foreach (var entry in full.Scan(KeyRange.All)) count += entry.Value.Length == 500 ? 1 : 0;
        Assert.False(full.ContainsKey(TestStore.Bytes($"{count}")));
        Assert.True(full.TryGetInfo("0"u8, out var info));
        Assert.True(full.DeleteIfUnchanged("0"u8, info.Sequence)); // Deletes go on.
    }
}
