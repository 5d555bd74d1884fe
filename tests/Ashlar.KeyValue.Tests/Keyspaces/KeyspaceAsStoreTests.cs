using System.Buffers;
using System.Globalization;
using System.Text;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>Code that was written for a store is given a keyspace of one.</summary>
public sealed class KeyspaceAsStoreTests : IDisposable
{
    readonly SimulatedFileSystem disk = TestStore.NewDisk();
    readonly SimulatedClock clock = new();
    readonly KeyValueStore store;
    readonly Keyspace users;

    public KeyspaceAsStoreTests()
    {
        store = Open(TestStore.Directory);
        users = store.OpenKeyspace("users");
    }

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task Every_call_does_the_same_in_a_keyspace_as_in_a_store_and_nothing_outside_of_it()
    {
        using var plain = Open("/plain");
        var expected = await UseAsync(plain);
        var (middle, last) = (store.OpenKeyspace("middle"), store.OpenKeyspace("last"));
        foreach (var key in (string[])["a", "b", "c", "d", "counter", "lease", "\0", "z"])
        {
            store.Put(key, "outside");
            users.Put(TestStore.Bytes(key), "before"u8);
            last.Put(TestStore.Bytes(key), "behind"u8);
        }

        var (outside, before, behind) = (All(store), All(users), All(last));
        Assert.Equal(expected, await UseAsync(middle));
        Assert.Equal((outside, before, behind), (All(store), All(users), All(last)));
        Assert.Equal(0, store.GetStatistics().Snapshots);
    }

    [Fact]
    public async Task What_a_batch_has_for_another_keyspace_goes_there()
    {
        var orders = store.OpenKeyspace("orders");
        var batch = new WriteBatch { MayUseReserve = true };
        batch.Put("a"u8, "of users"u8);
        batch.Put(orders, "a"u8, "of orders"u8, clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        batch.DeleteRange("b"u8, "c"u8);
        users.Put("b"u8, "x"u8);
        orders.Put("b"u8, "x"u8);
        users.Write(batch);
        Assert.Equal(("", "a=of users", "a=of orders b=x"), (All(store), All(users), All(orders)));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("b=x", All(orders));

        var conditions = new WriteConditions().RequireAbsent("z"u8).RequireAbsent(orders, "a"u8);
        Assert.True(await users.TryWriteAsync(batch, conditions));
        store.Put("z", "outside"); // The condition is about the keyspace.
        orders.Delete("a"u8);
        Assert.True(users.TryWrite(batch, conditions));
        orders.Put("a"u8, "1"u8);
        Assert.False(users.TryWrite(batch, conditions));
        orders.Delete("a"u8);
        users.Put("z"u8, "1"u8);
        Assert.False(await users.TryWriteAsync(batch, conditions));
    }

    [Fact]
    public void A_key_that_looks_like_another_keyspaces_is_one_like_others()
    {
        var orders = store.OpenKeyspace("orders");
        byte[] key = [.. orders.Identity.Prefix, (byte)'a'];
        var batch = new WriteBatch();
        batch.Put(key, "1"u8);
        batch.DeleteRange("b"u8, "c"u8);
        users.Put("b"u8, "x"u8);
        users.Write(batch);
        Assert.Equal("1", Text(users.Get(key)));
        Assert.Equal(("", ""), (All(store), All(orders)));

        // Beside entries that came by a keyspace nobody can tell.
        batch.Put(orders, "b"u8, "2"u8);
        Assert.Throws<ReservedKeyException>(() => users.Write(batch));
        Assert.Throws<ReservedKeyException>(() => { _ = users.WriteAsync(batch).AsTask(); });
        Assert.Throws<ReservedKeyException>(() => users.TryWrite(batch, new WriteConditions()));
        Assert.Equal("", All(orders));
        batch.Clear(); // Nothing holds it.
    }

    [Fact]
    public async Task A_batch_is_held_until_its_write_is_done()
    {
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        var refused = 0;
        disk.DuringSync = _ =>
        {
            Assert.Throws<InvalidOperationException>(batch.Clear);
            refused++;
        };
        await users.WriteAsync(batch);
        Assert.True(await users.TryWriteAsync(batch, new WriteConditions().RequireAbsent("b"u8)));
        disk.DuringSync = null;
        Assert.InRange(refused, 2, int.MaxValue);
        batch.Clear();
    }

    [Fact]
    public async Task A_write_of_a_keyspace_that_was_dropped_is_refused()
    {
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        users.Put("a"u8, "1"u8);
        using var snapshot = users.CreateSnapshot();
        store.DropKeyspace("users");
        store.Compact();
        Assert.Equal("a=1", All(snapshot));
        var life = TimeSpan.FromMinutes(1);
        Action[] calls =
        [
            () => users.Put("a"u8, "1"u8), () => users.Put("a"u8, "1"u8, life), () => users.Delete("a"u8),
            () => users.DeleteRange(KeyRange.All), () => users.Write(batch),
            () => users.PutIfAbsent("b"u8, "1"u8), () => users.PutIfAbsent("b"u8, "1"u8, life), () => users.DeleteIfUnchanged("a"u8, 1),
            () => users.TryWrite(batch, new()), () => users.TryWrite(new(), new WriteConditions().RequireAbsent("a"u8)),
            () => users.TryRenew("a"u8, life), () => users.Increment("a"u8, 1), () => users.CreateSnapshot(),
            () => users.TryGetCached("a"u8, [], out _), () => users.Transact(transaction => transaction.Put("a"u8, "1"u8)),
        ];
        Assert.All(calls, call => Assert.Equal("users", Assert.Throws<KeyspaceDroppedException>(call).Name));
        Func<ValueTask>[] tasks =
        [
            () => users.PutAsync("a"u8, "1"u8), () => users.PutAsync("a"u8, "1"u8, life), () => users.DeleteAsync("a"u8),
            () => users.DeleteRangeAsync(KeyRange.All), () => users.WriteAsync(batch),
        ];
        foreach (var task in tasks) await Assert.ThrowsAsync<KeyspaceDroppedException>(() => task().AsTask());
        await Assert.ThrowsAsync<KeyspaceDroppedException>(() => users.TryWriteAsync(batch, new()).AsTask());
        Assert.Empty(All(store));
    }

    [Fact]
    public void A_key_that_is_too_long_is_told_by_what_the_keyspace_takes()
    {
        using var other = KeyValueStore.Open("/other", TestStore.Small(disk) with { MaxKeyBytes = 20 });
        var keyspace = other.OpenKeyspace("k");
        Assert.Equal((12, other.MaxValueBytes), (keyspace.MaxKeyBytes, keyspace.MaxValueBytes));
        keyspace.Put(new byte[12], "1"u8);
        var tooLong = new byte[13];
        var batch = new WriteBatch();
        batch.Put(keyspace, tooLong, "1"u8);
        batch.Put(new byte[20], "outside"u8);
        var copy = new WriteBatch();
        foreach (var entry in batch) copy.Add(entry);
        Action[] calls =
        [
            () => other.Write(batch), () => other.Write(copy),
            () => keyspace.Transact(transaction => transaction.Put(tooLong, "1"u8)),
            () => keyspace.Put(tooLong, "1"u8), () => keyspace.PutIfAbsent(tooLong, "1"u8), () => keyspace.Increment(tooLong, 1),
            () => { _ = keyspace.PutAsync(tooLong, "1"u8).AsTask(); },
        ];
        foreach (var call in calls)
        {
            var refusal = Assert.Throws<KeyLengthException>(call);
            Assert.Equal((13, 12), (refusal.LengthBytes, refusal.LimitBytes));
        }

        keyspace.Delete(tooLong);
        Assert.Equal("", All(other));
    }

    [Fact]
    public void A_transaction_of_a_keyspace_is_done_again_where_it_conflicts()
    {
        users.Put("a"u8, "1"u8);
        var attempts = 0;
        var seen = users.Transact(transaction =>
        {
            var value = Text(transaction.Get("a"u8))!;
            if (attempts++ == 0) users.Put("a"u8, "2"u8);
            transaction.Put("b"u8, TestStore.Bytes(value));
            return value;
        });
        Assert.Equal(("2", 2, "a=2 b=2"), (seen, attempts, All(users)));
        users.Transact(transaction => transaction.Delete("a"u8));
        Assert.Equal("b=2", All(users));
        var conflict = Assert.Throws<TransactionConflictException>(() => users.Transact(
            transaction =>
            {
                transaction.Put("c"u8, transaction.Get("b"u8));
                users.Put("b"u8, "3"u8);
            },
            maxAttempts: 1));
        Assert.Equal(("b", "users"), (Text(conflict.Key.ToArray()), conflict.KeyspaceName));
        Assert.Contains("\"b\" of the keyspace 'users'", conflict.Message, StringComparison.Ordinal);
        Assert.Same(store, users.Store);
    }

    // What each call answers, a line each; sequences differ from store to store, so only what they do is told.
    async Task<string> UseAsync(IKeyspace keyspace)
    {
        var told = new List<string>();
        var minute = TimeSpan.FromMinutes(1);
        void Tell(string call, object? answer) =>
            told.Add(string.Create(CultureInfo.InvariantCulture, $"{call}: {answer} -> {All(keyspace)}"));

        keyspace.Put("a"u8, "1"u8);
        keyspace.Put("b"u8, "2"u8, minute);
        await keyspace.PutAsync("c"u8, "3"u8, Durability.Relaxed);
        await keyspace.PutAsync("d"u8, "4"u8, minute);
        await keyspace.SyncAsync();
        Tell("puts", null);
        using var snapshot = keyspace.CreateSnapshot();
        keyspace.Delete("a"u8);
        await keyspace.DeleteAsync("c"u8);
        Tell("deletes", All(snapshot));

        Tell("renew", keyspace.TryRenew("b"u8, 2 * minute));
        Tell("renew what is absent", keyspace.TryRenew("x"u8, minute));
        clock.Advance(minute);
        Tell("a minute later", keyspace.ExpiryAfter(minute) - clock.GetUtcNow());
        keyspace.TryGetInfo("b"u8, out var info);
        Tell("expiry", info.ExpiresAt - clock.GetUtcNow());

        Tell("absent", keyspace.PutIfAbsent("a"u8, "5"u8));
        Tell("present", keyspace.PutIfAbsent("a"u8, "6"u8));
        Tell("lease", keyspace.PutIfAbsent("lease"u8, "me"u8, minute));
        keyspace.Get("a"u8, out var a);
        Tell("unchanged", keyspace.PutIfUnchanged("a"u8, "7"u8, a.Sequence));
        Tell("changed", keyspace.PutIfUnchanged("a"u8, "8"u8, a.Sequence));
        Tell("changed", keyspace.DeleteIfUnchanged("a"u8, a.Sequence));
        keyspace.TryGetInfo("a"u8, out a);
        Tell("unchanged", keyspace.DeleteIfUnchanged("a"u8, a.Sequence));

        Tell("count", keyspace.Increment("counter"u8, 5));
        Tell("count", keyspace.Increment("counter"u8, -7));
        keyspace.TryRenew("counter"u8, minute);
        Tell("count", keyspace.Increment("counter"u8, 1));
        Tell("count in a window", keyspace.Increment("window"u8, 1, minute));
        keyspace.TryGetInfo("window"u8, out info);
        Tell("expiry", info.ExpiresAt - clock.GetUtcNow());
        Tell("no counter", Assert.Throws<CounterException>(() => keyspace.Increment("b"u8, 1)).LengthBytes);

        var batch = new WriteBatch();
        batch.Put("\0"u8, "first"u8);
        batch.Put([0xFF, 0xFF, 0xFF, 0xF0], "last"u8);
        batch.Put("e"u8, "8"u8);
        batch.Put("f"u8, "9"u8, keyspace.ExpiryAfter(minute));
        batch.DeleteRange("b"u8, "d"u8);
        batch.Delete("d"u8);
        keyspace.Write(batch);
        Tell("batch", batch.Count);
        clock.Advance(minute);
        Tell("a minute later", null);
        batch.Clear();
        batch.DeleteRange(KeyRange.Before("e"u8));
        batch.Put("a"u8, "10"u8);
        await keyspace.WriteAsync(batch);
        Tell("batch", batch.Count);
        keyspace.TryGetInfo("a"u8, out a);
        var conditions = new WriteConditions().RequireUnchanged("a"u8, a.Sequence).RequireAbsent("g"u8);
        batch.Put("g"u8, "11"u8);
        Tell("conditions", keyspace.TryWrite(batch, conditions));
        Tell("conditions", keyspace.TryWrite(batch, conditions));
        Tell("conditions", await keyspace.TryWriteAsync(batch, conditions));
        keyspace.TryGetInfo("a"u8, out a);
        Tell("conditions", await keyspace.TryWriteAsync(batch, new WriteConditions().RequireUnchanged("a"u8, a.Sequence)));

        var writer = new ArrayBufferWriter<byte>();
        Tell("get", (keyspace.TryGet("g"u8, writer), writer.WrittenCount, keyspace.TryGet("g"u8, [], out var length), length));
        Tell("gets", string.Join('/', keyspace.MultiGet(["a"u8.ToArray(), "x"u8.ToArray(), "g"u8.ToArray()]).Select(Text)));
        var keys = new List<string>();
        await foreach (var entry in keyspace.ScanAsync(KeyRange.Between("a"u8, "f"u8), ScanDirection.Backward))
            keys.Add(Encoding.UTF8.GetString(entry.Key.Span));
        Tell("scan", string.Join('/', keys));
        using (var cursor = keyspace.Scan(KeyRange.From("b"u8)))
            Tell("seek", (cursor.Seek("f"u8), Text(cursor.Key.ToArray()), cursor.MoveNext()));
        keyspace.DeleteRange(KeyRange.Prefix("g"u8));
        Tell("range", null);
        keyspace.DeleteRange(KeyRange.From("b"u8));
        keyspace.Sync();
        Tell("range", All(snapshot));
        keyspace.DeleteRange(KeyRange.All);
        Tell("all", null);
        Tell("refused", Assert.Throws<KeyLengthException>(() => keyspace.Put(default, "1"u8)).LengthBytes);
        Tell("refused", Assert.Throws<ArgumentOutOfRangeException>(() => keyspace.Put("a"u8, "1"u8, TimeSpan.Zero)).ParamName);
        await Assert.ThrowsAsync<OperationCanceledException>(
            async () => await keyspace.PutAsync("a"u8, "1"u8, cancellationToken: new CancellationToken(canceled: true)));
        await Assert.ThrowsAsync<OperationCanceledException>(
            async () => await keyspace.WriteAsync(batch, cancellationToken: new CancellationToken(canceled: true)));
        Tell("cancelled", null);
        batch.Clear();
        return string.Join('\n', told);
    }

    static string All(IKeyValueReader reader)
    {
        var text = new List<string>();
        foreach (var entry in reader.Scan(KeyRange.All))
            text.Add($"{Encoding.Latin1.GetString(entry.Key)}={Encoding.Latin1.GetString(entry.Value)}");
        return string.Join(' ', text);
    }

    static string? Text(byte[]? value) => value is null ? null : Encoding.UTF8.GetString(value);

    KeyValueStore Open(string directory) => KeyValueStore.Open(
        directory, TestStore.Small(disk) with { TimeProvider = clock, RelaxedLossTime = TimeSpan.FromDays(10) });
}
