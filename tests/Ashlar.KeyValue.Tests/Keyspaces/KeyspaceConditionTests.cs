using System.Text;

namespace Ashlar.KeyValue.Tests;

/// <summary>Conditions and transactions on keys of keyspaces, beside the same keys outside of them.</summary>
public sealed class KeyspaceConditionTests : IDisposable
{
    readonly KeyValueStore store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.NewDisk()));
    readonly Keyspace users;

    public KeyspaceConditionTests()
    {
        users = store.OpenKeyspace("users");
        store.Put("a", "outside");
        users.Put("a"u8, "1"u8);
    }

    public void Dispose() => store.Dispose();

    [Fact]
    public void A_keyspace_is_read_in_every_way_as_a_store_is()
    {
        users.Put("b"u8, "2"u8, TimeSpan.FromDays(1));
        using var snapshot = store.CreateSnapshot();
        using var transaction = store.BeginTransaction();
        foreach (var reader in (IKeyValueReader[])[users, snapshot.In(users), transaction.In(users)])
        {
            Assert.Equal("1"u8.ToArray(), reader.Get("a"u8, out var info));
            Assert.True(info.Sequence > 0);
            Assert.True(reader.TryGetInfo("b"u8, out info) && info.ExpiresAt is not null);
            Assert.True(reader.ContainsKey("a"u8));
            Assert.False(reader.ContainsKey("c"u8));
            Assert.False(reader.TryGet("a"u8, [], out var length));
            Assert.Equal(1, length);
            Assert.Equal(["2", null, "1"], reader.MultiGet(["b"u8.ToArray(), "c"u8.ToArray(), "a"u8.ToArray()]).Select(Text));
            using var cursor = reader.Scan(KeyRange.All, ScanDirection.Backward);
            Assert.True(cursor.Seek("aa"u8));
            Assert.Equal("a"u8.ToArray(), cursor.Key.ToArray());
            Assert.False(cursor.MoveNext());
            var keys = new List<string>();
            foreach (var entry in reader.Scan(KeyRange.All)) keys.Add(Encoding.UTF8.GetString(entry.Key));
            Assert.Equal(["a", "b"], keys);
        }
    }

    [Fact]
    public void Conditions_are_about_the_key_of_the_keyspace()
    {
        Assert.False(users.PutIfAbsent("a"u8, "2"u8));
        Assert.True(users.TryGetInfo("a"u8, out var info));
        store.Put("a", "outside again");
        Assert.True(users.PutIfUnchanged("a"u8, "2"u8, info.Sequence));
        Assert.False(users.DeleteIfUnchanged("a"u8, info.Sequence));
        var batch = new WriteBatch();
        batch.Put("outside"u8, "x"u8);
        batch.Put(users, "inside"u8, "x"u8);
        Assert.False(store.TryWrite(batch, new WriteConditions().RequireAbsent(users, "a"u8)));
        Assert.True(store.TryWrite(batch, new WriteConditions().RequireAbsent(users, "c"u8).RequireAbsent("c"u8)));
        Assert.Throws<KeyLengthException>(() => new WriteConditions().RequireAbsent(users, default));
        using var other = KeyValueStore.Open("/other", TestStore.Small(TestStore.NewDisk()));
        Assert.Throws<ArgumentException>(() => other.TryWrite(new WriteBatch(), new WriteConditions().RequireAbsent(users, "a"u8)));
        using var transaction = other.BeginTransaction();
        Assert.Throws<ArgumentException>(() => transaction.In(users));
        store.DropKeyspace("users");
        Assert.Throws<KeyspaceDroppedException>(() => store.TryWrite(batch, new WriteConditions().RequireAbsent(users, "a"u8)));
        Assert.Throws<KeyspaceDroppedException>(() => users.PutIfAbsent("a"u8, "x"u8));
    }

    [Fact]
    public void A_transaction_over_keyspaces_is_one()
    {
        var orders = store.OpenKeyspace("orders");
        using var transaction = store.BeginTransaction();
        var (ofUsers, ofOrders) = (transaction.In(users), transaction.In(orders));
        Assert.Equal("1"u8.ToArray(), ofUsers.Get("a"u8));
        ofUsers.Delete("a"u8);
        ofOrders.Put("1"u8, "of a"u8);
        ofOrders.Put("2"u8, "short"u8, TimeSpan.FromDays(1));
        transaction.Put("b"u8, "x"u8);
        Assert.Equal("1=of a 2=short", All(ofOrders));
        Assert.Equal("", All(ofUsers));
        Assert.Equal("a=outside b=x", All(transaction)); // A scan of the store ends before its keyspaces.
        transaction.Commit();
        Assert.Equal("1=of a 2=short", All(orders));
        Assert.Equal("a=outside b=x", store.ReadAll());
        Assert.False(users.ContainsKey("a"u8));
    }

    [Fact]
    public void What_was_read_in_a_keyspace_must_be_unchanged_and_what_happens_beside_it_does_not_matter()
    {
        using var reader = store.BeginTransaction();
        Assert.Equal("a=1", All(reader.In(users)));
        reader.Put("sum"u8, "1"u8);
        using var outside = store.BeginTransaction();
        Assert.Equal("a=outside", All(outside));
        outside.Put("sum"u8, "2"u8);
        using var dropped = store.BeginTransaction();
        dropped.In(users).Put("c"u8, "x"u8);
        users.Put("b"u8, "phantom"u8);
        Assert.False(reader.TryCommit());
        Assert.True(outside.TryCommit());
        using var late = store.BeginTransaction();
        Assert.True(late.In(users).ContainsKey("a"u8));
        late.Put("sum"u8, "3"u8);
        store.DropKeyspace("users"); // It deletes what was read.
        Assert.False(late.TryCommit());
        Assert.Throws<KeyspaceDroppedException>(() => dropped.Commit());
        Assert.Equal("2", store.Get("sum"));
    }

    [Fact]
    public void A_conflict_names_the_keyspace_and_the_key_as_its_user_knows_it()
    {
        using var transaction = store.BeginTransaction();
        transaction.In(users).Get("a"u8);
        transaction.Put("sum"u8, "1"u8);
        users.Put("a"u8, "2"u8);
        var conflict = Assert.Throws<TransactionConflictException>(() => transaction.Commit());
        Assert.Equal(("users", "a"), (conflict.KeyspaceName, Text(conflict.Key.ToArray())));
        Assert.Contains("\"a\" of the keyspace 'users'", conflict.Message, StringComparison.Ordinal);
        using var outside = store.BeginTransaction();
        outside.Get("a"u8);
        outside.Put("sum"u8, "1"u8);
        store.Put("a", "other");
        Assert.Null(Assert.Throws<TransactionConflictException>(() => outside.Commit()).KeyspaceName);
    }

    static string All(IKeyValueReader reader)
    {
        var text = new List<string>();
        foreach (var entry in reader.Scan(KeyRange.All))
            text.Add($"{Encoding.UTF8.GetString(entry.Key)}={Encoding.UTF8.GetString(entry.Value)}");
        return string.Join(' ', text);
    }

    static string? Text(byte[]? value) => value is null ? null : Encoding.UTF8.GetString(value);
}
