using System.Buffers;
using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Keys apart from others, under a name.</summary>
public sealed class KeyspaceTests : IDisposable
{
    static readonly byte[] Reserved = [0xFF, 0xFF, 0xFF, 0xFF, 1];

    readonly SimulatedFileSystem disk = TestStore.NewDisk();
    readonly SimulatedClock clock = new();
    KeyValueStore store;

    public KeyspaceTests() => store = Open();

    public void Dispose() => store.Dispose();

    [Fact]
    public void Each_keyspace_has_its_own_keys_in_their_order()
    {
        var (users, orders) = (store.OpenKeyspace("users"), store.OpenKeyspace("orders"));
        store.Put("b", "default");
        Put(users, "b", "user");
        Put(users, "a", "user");
        Put(orders, "b", "order");
        Assert.Equal("b=default", store.ReadAll());
        Assert.Equal("b=default", store.ReadAll(ScanDirection.Backward));
        Assert.Equal("a=user b=user", ReadAll(users));
        Assert.Equal("b=user a=user", ReadAll(users, ScanDirection.Backward));
        Assert.Equal("b=order", ReadAll(orders));
        Assert.Equal("user", Text(users.Get("b"u8)));
        Assert.Null(users.Get("c"u8));
        var writer = new ArrayBufferWriter<byte>();
        Assert.True(orders.TryGet("b"u8, writer));
        Assert.Equal("order", Encoding.UTF8.GetString(writer.WrittenSpan));
        users.Delete("b"u8);
        Assert.Equal("a=user", ReadAll(users));
        Assert.Equal("b=order", ReadAll(orders));
        Assert.Equal(["orders", "users"], store.ListKeyspaces());
    }

    [Fact]
    public void A_batch_over_several_keyspaces_is_one()
    {
        var users = store.OpenKeyspace("users");
        Put(users, "old", "1");
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        batch.DeleteRange(users, KeyRange.All);
        batch.Put(users, "a"u8, "2"u8);
        batch.Put(users, "b"u8, "3"u8, TimeSpan.FromSeconds(1), clock);
        batch.Delete(users, "c"u8);
        store.Write(batch);
        Assert.Equal("a=1", store.ReadAll());
        Assert.Equal("a=2 b=3", ReadAll(users));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("a=2", ReadAll(users));
        Assert.Equal(users, store.OpenKeyspace("users"));
    }

    [Fact]
    public void A_range_is_deleted_in_its_keyspace_alone()
    {
        var (users, orders) = (store.OpenKeyspace("users"), store.OpenKeyspace("orders"));
        foreach (var key in new[] { "a", "b", "c" })
        {
            store.Put(key, "1");
            Put(users, key, "1");
            Put(orders, key, "1");
        }

        users.DeleteRange(KeyRange.Between("a"u8, "c"u8));
        Assert.Equal("c=1", ReadAll(users));
        store.DeleteRange(KeyRange.All);
        Assert.Equal(("", "c=1", "a=1 b=1 c=1"), (store.ReadAll(), ReadAll(users), ReadAll(orders)));
        Assert.Equal(["orders", "users"], store.ListKeyspaces());
    }

    [Fact]
    public void A_dropped_keyspace_is_gone_with_its_keys_and_its_number_is_not_given_again()
    {
        var users = store.OpenKeyspace("users");
        Put(users, "a", "1");
        Assert.True(store.DropKeyspace("users"));
        Assert.False(store.DropKeyspace("users"));
        Assert.Empty(store.ListKeyspaces());
        Assert.Null(store.FindKeyspace("users"));
        Reopen();
        Assert.Null(store.FindKeyspace("users"));
        var again = store.OpenKeyspace("users");
        Assert.NotEqual(users.Identity.Prefix, again.Identity.Prefix);
        Assert.Equal("", ReadAll(again));
        Put(again, "b", "2");
        Reopen();
        Assert.Equal("b=2", ReadAll(store.FindKeyspace("users")!));
    }

    [Fact]
    public void Readers_of_before_go_on_and_every_other_call_says_that_it_was_dropped()
    {
        var users = store.OpenKeyspace("users");
        for (var key = 0; key < 100; key++) Put(users, $"{key:d3}", "1");
        using var snapshot = store.CreateSnapshot();
        using var cursor = users.Scan(KeyRange.All);
        Assert.True(cursor.MoveNext());
        var batch = new WriteBatch();
        batch.Put(users, "late"u8, "1"u8);
        store.DropKeyspace("users");
        store.Compact();
        var left = 1;
        while (cursor.MoveNext()) left++;
        Assert.Equal(100, left);
        Assert.Equal(100, ReadAll(snapshot.In(users).Scan(KeyRange.All)).Split(' ').Length);
        Assert.Equal("1", Text(snapshot.In(users).Get("050"u8)));
        Assert.True(users.IsDropped);
        Assert.Throws<KeyspaceDroppedException>(() => users.Get("a"u8));
        Assert.Throws<KeyspaceDroppedException>(() => users.Scan(KeyRange.All));
        Assert.Throws<KeyspaceDroppedException>(() => Put(users, "a", "1"));
        Assert.Equal("users", Assert.Throws<KeyspaceDroppedException>(() => store.Write(batch)).Name);
        snapshot.Dispose();
        cursor.Dispose();
        store.Compact();
        Assert.InRange(store.GetStatistics().TableEntries, 0, 2);
    }

    [Fact]
    public void Dropping_takes_the_same_log_however_many_keys_there_are()
    {
        var (small, large) = (store.OpenKeyspace("small"), store.OpenKeyspace("large"));
        Put(small, "a", "1");
        for (var key = 0; key < 2000; key++) large.Put(TestStore.Bytes($"{key:d5}"), "1"u8, Durability.Unflushed);
        Assert.Equal(LogBytesOf(() => store.DropKeyspace("small")), LogBytesOf(() => store.DropKeyspace("large")));

        long LogBytesOf(Action action)
        {
            var before = store.GetStatistics().LogBytesWritten;
            action();
            return store.GetStatistics().LogBytesWritten - before;
        }
    }

    [Fact]
    public void The_last_keys_of_all_are_reserved_with_the_first_keyspace_and_not_before()
    {
        store.Put(Reserved, "1"u8);
        var refused = Assert.Throws<ReservedKeyException>(() => store.OpenKeyspace("users"));
        Assert.Contains("FFFFFFFF01", refused.Message, StringComparison.Ordinal);
        store.Delete(Reserved);
        store.OpenKeyspace("users");
        Assert.Throws<ReservedKeyException>(() => store.Put(Reserved, "1"u8));
        Assert.Throws<ReservedKeyException>(() => store.Delete(Reserved));
        var batch = new WriteBatch();
        batch.DeleteRange(KeyRange.All);
        Assert.Throws<ReservedKeyException>(() => store.Write(batch));
        store.Put([0xFF, 0xFF, 0xFF], "1"u8);
        Reopen();
        Assert.Throws<ReservedKeyException>(() => store.Put(Reserved, "1"u8));
    }

    [Fact]
    public async Task Those_who_write_beside_one_that_is_refused_are_not()
    {
        store.OpenKeyspace("users");
        var batch = new WriteBatch();
        batch.Put(Reserved, "1"u8);
        var refused = store.WriteAsync(batch).AsTask();
        var others = Enumerable.Range(0, 20).Select(key => store.PutAsync(TestStore.Bytes($"{key:d2}"), "1"u8).AsTask()).ToArray();
        await Assert.ThrowsAsync<ReservedKeyException>(() => refused);
        await Task.WhenAll(others);
        Assert.Equal(20, store.ReadAll().Split(' ').Length);
    }

    [Fact]
    public void Names_are_text_of_1_to_255_bytes()
    {
        Assert.ThrowsAny<ArgumentException>(() => store.OpenKeyspace(""));
        Assert.Throws<ArgumentException>(() => store.OpenKeyspace("\ud800"));
        Assert.Throws<ArgumentException>(() => store.OpenKeyspace(new string('ä', 128)));
        Assert.Throws<ArgumentException>(() => store.DropKeyspace(new string('a', 256)));
        Assert.Equal("ä", store.OpenKeyspace("ä").Name);
        store.OpenKeyspace(new string('a', 255));
        Reopen();
        Assert.Equal([new string('a', 255), "ä"], store.ListKeyspaces());
    }

    [Fact]
    public void Keys_are_checked_as_elsewhere()
    {
        var users = store.OpenKeyspace("users");
        Assert.Throws<KeyLengthException>(() => users.Put([], "1"u8));
        Assert.Equal(
            Keyspace.KeyLimitBytes, Assert.Throws<KeyLengthException>(() => users.Put(new byte[65_528], "1"u8)).LimitBytes);
        users.Put(new byte[Keyspace.KeyLimitBytes], "1"u8);
        Assert.Equal("1", Text(users.Get(new byte[Keyspace.KeyLimitBytes])));
    }

    [Fact]
    public void A_keyspace_of_another_store_is_refused()
    {
        Put(store.OpenKeyspace("users"), "a", "1");
        using var other = KeyValueStore.Open("/other", TestStore.Small(disk));
        var users = other.OpenKeyspace("users");
        var batch = new WriteBatch();
        batch.Put(users, "a"u8, "1"u8);
        Assert.Throws<ArgumentException>(() => store.Write(batch));
        using var snapshot = store.CreateSnapshot();
        Assert.Throws<ArgumentException>(() => snapshot.In(users));
    }

    [Fact]
    public void Entries_that_are_copied_to_another_batch_stay_those_of_their_keyspace()
    {
        var (users, orders) = (store.OpenKeyspace("users"), store.OpenKeyspace("orders"));
        Put(users, "old", "1");
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        batch.DeleteRange(users, KeyRange.All);
        batch.Put(users, "a"u8, "2"u8);
        batch.Put(orders, "b"u8, "3"u8, TimeSpan.FromSeconds(1), clock);
        store.Write(CopyOf(batch));
        Assert.Equal(("a=1", "a=2", "b=3"), (store.ReadAll(), ReadAll(users), ReadAll(orders)));

        using var other = KeyValueStore.Open("/other", TestStore.Small(disk));
        Assert.Throws<ArgumentException>(() => other.Write(CopyOf(batch)));
        Assert.Equal("", other.ReadAll());
        var plain = new WriteBatch();
        foreach (var entry in batch)
        {
            if (!entry.IsOfKeyspace) plain.Add(entry);
        }

        other.Write(plain);
        Assert.Equal("a=1", other.ReadAll());
        store.DropKeyspace("orders");
        Assert.Throws<KeyspaceDroppedException>(() => store.Write(CopyOf(CopyOf(batch))));
    }

    [Fact]
    public void A_copied_entry_that_came_by_no_keyspace_does_not_pass_for_one_that_did()
    {
        var users = store.OpenKeyspace("users");
        var batch = new WriteBatch();
        batch.Put(users, "a"u8, "1"u8);
        batch.Put([.. users.Identity.Prefix, (byte)'b'], "2"u8);
        Assert.Throws<ReservedKeyException>(() => store.Write(CopyOf(batch)));
    }

    [Fact]
    public void A_range_of_the_store_that_begins_among_the_keys_of_keyspaces_is_refused()
    {
        store.DeleteRange(KeyRange.From(Reserved));
        store.OpenKeyspace("users");
        foreach (var range in new[] { KeyRange.From(Reserved), KeyRange.Prefix([0xFF, 0xFF, 0xFF, 0xFF]) })
        {
            Assert.Throws<ReservedKeyException>(() => store.DeleteRange(range));
            Assert.Throws<ReservedKeyException>(() => store.DeleteRangeAsync(range).AsTask().GetAwaiter().GetResult());
        }

        Assert.Equal(["users"], store.ListKeyspaces());
    }

    [Fact]
    public async Task A_range_without_an_end_is_deleted_up_to_the_first_keyspace_also_while_that_is_opened()
    {
        store.Dispose();
        store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk, inline: false));
        store.Put("a", "1");
        Task? deleted = null;
        disk.DuringSync = _ => deleted ??= store.DeleteRangeAsync(KeyRange.All).AsTask(); // Before the range is reserved.
        store.OpenKeyspace("users");
        disk.DuringSync = null;
        await deleted!;
        Assert.Equal("", store.ReadAll());
        Assert.Equal(["users"], store.ListKeyspaces());
    }

    [Fact]
    public void What_had_expired_before_the_first_keyspace_is_in_none_when_the_clock_is_set_back()
    {
        var past = new SimulatedClock();
        store.Dispose();
        store = Open(past);
        var probe = new KeyspaceIdentity(this, 1, "");
        store.Put([.. probe.Prefix, (byte)'a'], "1"u8, TimeSpan.FromSeconds(1));
        past.Advance(TimeSpan.FromSeconds(2));
        var users = store.OpenKeyspace("users");
        Assert.Equal(probe.Prefix, users.Identity.Prefix);
        Put(users, "b", "2");
        store.Dispose();
        store = Open(new SimulatedClock());
        Assert.Equal("b=2", ReadAll(store.FindKeyspace("users")!));
        Assert.Equal(["users"], store.ListKeyspaces());
    }

    [Fact]
    public void A_store_without_keyspaces_is_as_before_and_one_with_them_says_so()
    {
        Assert.Empty(store.ListKeyspaces());
        Assert.Null(store.FindKeyspace("users"));
        Assert.Equal(StoreFeatures.None, Features());
        store.OpenKeyspace("users");
        Assert.Equal(StoreFeatures.Keyspaces, Features());
        store.DropKeyspace("users");
        Assert.Equal(StoreFeatures.Keyspaces | StoreFeatures.RangeDeletes, Features());

        StoreFeatures Features()
        {
            using var manifest = Manifest.Read(
                new StoreFiles(disk, TestStore.Directory), TestStore.Small(disk) with { ReadOnly = true });
            return manifest.State.Features;
        }
    }

    [Fact]
    public void A_restore_to_a_moment_brings_keyspaces_back_also_the_first()
    {
        store.Dispose();
        store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { LogArchiveDirectory = "/archive" });
        store.Put("a", "1");
        store.BackUp("/backups");
        Put(store.OpenKeyspace("users"), "b", "2");
        var sequence = store.VisibleSequence;
        store.DropKeyspace("users");
        store.ArchiveLog();
        var options = TestStore.Small(disk);
        new KeyValueBackups("/backups", options).Restore(
            RestorePoint.AtSequence(sequence), new LogArchive("/archive", options), "/then");
        using var then = KeyValueStore.Open("/then", options);
        Assert.Equal("a=1", then.ReadAll());
        Assert.Equal("b=2", ReadAll(then.FindKeyspace("users")!));
        Assert.Throws<ReservedKeyException>(() => then.Put(Reserved, "1"u8));
    }

    [Fact]
    public void On_a_store_that_is_only_read_keyspaces_are_found_and_none_is_made()
    {
        Put(store.OpenKeyspace("users"), "a", "1");
        store.Dispose();
        store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { ReadOnly = true });
        Assert.Equal("a=1", ReadAll(store.OpenKeyspace("users")));
        Assert.Throws<ReadOnlyStoreException>(() => store.OpenKeyspace("orders"));
        Assert.Throws<ReadOnlyStoreException>(() => store.DropKeyspace("users"));
    }

    static WriteBatch CopyOf(WriteBatch batch)
    {
        var copy = new WriteBatch();
        foreach (var entry in batch) copy.Add(entry);
        return copy;
    }

    static void Put(Keyspace keyspace, string key, string value) => keyspace.Put(TestStore.Bytes(key), TestStore.Bytes(value));

    static string? Text(byte[]? value) => value is null ? null : Encoding.UTF8.GetString(value);

    static string ReadAll(Keyspace keyspace, ScanDirection direction = ScanDirection.Forward) =>
        ReadAll(keyspace.Scan(KeyRange.All, direction));

    static string ReadAll(KeyspaceCursor cursor)
    {
        var text = new List<string>();
        using (cursor)
        {
            while (cursor.MoveNext()) text.Add($"{Encoding.UTF8.GetString(cursor.Key)}={Encoding.UTF8.GetString(cursor.Value)}");
        }

        return string.Join(' ', text);
    }

    void Reopen()
    {
        store.Dispose();
        store = Open();
    }

    KeyValueStore Open(TimeProvider? time = null) => KeyValueStore.Open(
        TestStore.Directory,
        TestStore.Small(disk) with { TimeProvider = time ?? clock, RelaxedLossTime = TimeSpan.FromDays(10) });
}
