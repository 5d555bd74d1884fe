using System.Reflection;

namespace Ashlar.KeyValue.Tests;

/// <summary>A value of an enumeration that has no name is refused by whatever takes one, before anything is done.</summary>
[Trait("disk", "any")]
public sealed class UnknownChoiceTests
{
    const int Unknown = 9;

    static readonly Dictionary<string, Action<KeyValueStore>> Calls = new()
    {
        ["KeyValueStore.Scan"] = store => store.Scan(KeyRange.All, (ScanDirection)Unknown),
        ["KeyValueSnapshot.Scan"] = store =>
        {
            using var snapshot = store.CreateSnapshot();
            snapshot.Scan(KeyRange.All, (ScanDirection)Unknown);
        },
        ["KeyValueStore.BackUp"] = store => store.BackUp("/backups", (BackupMode)Unknown),
        ["PendingBackup.Write"] = store =>
        {
            using var pending = store.BeginBackup();
            pending.Write("/backups", (BackupMode)Unknown);
        },
        ["KeyValueStore.Put"] = store =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => store.Put("a"u8, "1"u8, TimeSpan.FromHours(1), (Durability)Unknown));
            store.Put("a"u8, "1"u8, (Durability)Unknown);
        },
        ["KeyValueStore.Delete"] = store => store.Delete("a"u8, (Durability)Unknown),
        ["KeyValueStore.DeleteRange"] = store =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => store.DeleteRange("a"u8, "z"u8, (Durability)Unknown));
            store.DeleteRange(KeyRange.All, (Durability)Unknown);
        },
        ["KeyValueStore.DeleteRangeAsync"] = store => _ = store.DeleteRangeAsync(KeyRange.All, (Durability)Unknown).AsTask(),
        ["Keyspace.Put"] = store =>
        {
            var keyspace = store.OpenKeyspace("kept");
            Assert.Throws<ArgumentOutOfRangeException>(() => keyspace.Put("a"u8, "1"u8, TimeSpan.FromHours(1), (Durability)Unknown));
            keyspace.Put("a"u8, "1"u8, (Durability)Unknown);
        },
        ["Keyspace.Delete"] = store => store.OpenKeyspace("kept").Delete("a"u8, (Durability)Unknown),
        ["Keyspace.DeleteRange"] = store => store.OpenKeyspace("kept").DeleteRange(KeyRange.All, (Durability)Unknown),
        ["Keyspace.Scan"] = store => store.OpenKeyspace("kept").Scan(KeyRange.All, (ScanDirection)Unknown),
        ["KeyspaceSnapshot.Scan"] = store =>
        {
            using var snapshot = store.CreateSnapshot();
            snapshot.In(store.OpenKeyspace("kept")).Scan(KeyRange.All, (ScanDirection)Unknown);
        },
        ["KeyValueStore.Write"] = store => store.Write(new WriteBatch(), (Durability)Unknown),
        ["KeyValueStore.PutAsync"] = store => _ = store.PutAsync("a"u8, "1"u8, (Durability)Unknown).AsTask(),
        ["KeyValueStore.PutIfAbsent"] = store =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => store.PutIfAbsent("a"u8, "1"u8, TimeSpan.FromHours(1), (Durability)Unknown));
            store.PutIfAbsent("a"u8, "1"u8, (Durability)Unknown);
        },
        ["KeyValueStore.PutIfUnchanged"] = store => store.PutIfUnchanged("a"u8, "1"u8, 0, (Durability)Unknown),
        ["KeyValueStore.DeleteIfUnchanged"] = store => store.DeleteIfUnchanged("kept"u8, 1, (Durability)Unknown),
        ["KeyValueStore.TryWrite"] = store => store.TryWrite(new WriteBatch(), new WriteConditions(), (Durability)Unknown),
        ["KeyValueStore.TryWriteAsync"] = store =>
            _ = store.TryWriteAsync(new WriteBatch(), new WriteConditions(), (Durability)Unknown).AsTask(),
        ["KeyValueStore.TryRenew"] = store => store.TryRenew("absent"u8, TimeSpan.FromHours(1), (Durability)Unknown),
        ["KeyValueStore.Increment"] = store =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => store.Increment("a"u8, 1, TimeSpan.FromHours(1), (Durability)Unknown));
            store.Increment("a"u8, 1, (Durability)Unknown);
        },
        ["KeyValueStore.Transact"] = store =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => store.Transact(_ => 1, (Durability)Unknown));
            store.Transact(_ => Assert.Fail("It was carried out."), (Durability)Unknown);
        },
        ["KeyValueStore.TransactAsync"] = store =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() =>
            {
                _ = store.TransactAsync(_ => ValueTask.FromResult(1), (Durability)Unknown).AsTask();
            });
            _ = store.TransactAsync(_ => throw new InvalidOperationException("It was carried out."), (Durability)Unknown).AsTask();
        },
        ["Keyspace.PutIfAbsent"] = store =>
        {
            var keyspace = store.OpenKeyspace("kept");
            Assert.Throws<ArgumentOutOfRangeException>(
                () => keyspace.PutIfAbsent("a"u8, "1"u8, TimeSpan.FromHours(1), (Durability)Unknown));
            keyspace.PutIfAbsent("a"u8, "1"u8, (Durability)Unknown);
        },
        ["Keyspace.Write"] = store => store.OpenKeyspace("kept").Write(new WriteBatch(), (Durability)Unknown),
        ["Keyspace.WriteAsync"] = store => _ = store.OpenKeyspace("kept").WriteAsync(new WriteBatch(), (Durability)Unknown).AsTask(),
        ["Keyspace.PutAsync"] = store =>
        {
            var keyspace = store.OpenKeyspace("kept");
            Assert.Throws<ArgumentOutOfRangeException>(
                () => { _ = keyspace.PutAsync("a"u8, "1"u8, TimeSpan.FromHours(1), (Durability)Unknown).AsTask(); });
            _ = keyspace.PutAsync("a"u8, "1"u8, (Durability)Unknown).AsTask();
        },
        ["Keyspace.DeleteAsync"] = store => _ = store.OpenKeyspace("kept").DeleteAsync("a"u8, (Durability)Unknown).AsTask(),
        ["Keyspace.DeleteRangeAsync"] = store =>
            _ = store.OpenKeyspace("kept").DeleteRangeAsync(KeyRange.All, (Durability)Unknown).AsTask(),
        ["Keyspace.TryWrite"] = store =>
            store.OpenKeyspace("kept").TryWrite(new WriteBatch(), new WriteConditions(), (Durability)Unknown),
        ["Keyspace.TryWriteAsync"] = store =>
            _ = store.OpenKeyspace("kept").TryWriteAsync(new WriteBatch(), new WriteConditions(), (Durability)Unknown).AsTask(),
        ["Keyspace.TryRenew"] = store => store.OpenKeyspace("kept").TryRenew("absent"u8, TimeSpan.FromHours(1), (Durability)Unknown),
        ["Keyspace.Increment"] = store => store.OpenKeyspace("kept").Increment("a"u8, 1, (Durability)Unknown),
        ["Keyspace.Transact"] = store =>
        {
            var keyspace = store.OpenKeyspace("kept");
            Assert.Throws<ArgumentOutOfRangeException>(() => keyspace.Transact(_ => 1, (Durability)Unknown));
            keyspace.Transact(_ => Assert.Fail("It was carried out."), (Durability)Unknown);
        },
        ["Keyspace.PutIfUnchanged"] = store => store.OpenKeyspace("kept").PutIfUnchanged("a"u8, "1"u8, 0, (Durability)Unknown),
        ["Keyspace.DeleteIfUnchanged"] = store => store.OpenKeyspace("kept").DeleteIfUnchanged("a"u8, 0, (Durability)Unknown),
        ["KeyspaceTransaction.Scan"] = store =>
            InTransaction(store, one => one.In(store.OpenKeyspace("kept")).Scan(KeyRange.All, (ScanDirection)Unknown)),
        ["KeyValueTransaction.Scan"] = store => InTransaction(store, one => one.Scan(KeyRange.All, (ScanDirection)Unknown)),
        ["KeyValueTransaction.Commit"] = store => InTransaction(store, one => one.Commit((Durability)Unknown)),
        ["KeyValueTransaction.TryCommit"] = store => InTransaction(store, one => one.TryCommit((Durability)Unknown)),
        ["KeyValueTransaction.CommitAsync"] = store =>
            InTransaction(store, one => one.CommitAsync((Durability)Unknown).AsTask().GetAwaiter().GetResult()),
        ["KeyValueTransaction.TryCommitAsync"] = store =>
            InTransaction(store, one => one.TryCommitAsync((Durability)Unknown).AsTask().GetAwaiter().GetResult()),
        ["KeyValueReaderExtensions.ScanAsync"] = store => _ = store.ScanAsync(KeyRange.All, (ScanDirection)Unknown),
        ["KeyValueStore.DeleteAsync"] = store => _ = store.DeleteAsync("a"u8, (Durability)Unknown).AsTask(),
        ["KeyValueStore.WriteAsync"] = store => _ = store.WriteAsync(new WriteBatch(), (Durability)Unknown).AsTask(),
    };

    [Fact]
    public void It_is_refused_wherever_a_choice_is_taken()
    {
        var disk = TestStore.AnyDisk();
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        store.Put("kept", "1");
        foreach (var (name, call) in Calls)
            Assert.True(Record.Exception(() => call(store)) is ArgumentOutOfRangeException { ActualValue: not null }, name);
        Assert.Equal("kept=1", store.ReadAll());
        Assert.Equal((0, 0), (store.GetStatistics().Cursors, store.GetStatistics().Snapshots));
        Assert.False(disk.DirectoryExists("/backups"));
    }

    static void InTransaction(KeyValueStore store, Action<KeyValueTransaction> use)
    {
        using var transaction = store.BeginTransaction();
        transaction.Put("never"u8, "x"u8);
        try
        {
            use(transaction);
        }
        finally
        {
            Assert.Equal(TransactionState.Open, transaction.State);
        }
    }

    [Fact]
    public void No_method_that_takes_a_choice_is_forgotten_here()
    {
        var taking = typeof(KeyValueStore).Assembly.GetExportedTypes()
            .Where(type => !type.IsInterface && !type.IsAssignableTo(typeof(Exception)) && !type.IsAssignableTo(typeof(Attribute)))
            .SelectMany(type => type.GetMethods(
                BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => !method.DeclaringType!.IsEnum && method.GetParameters().Any(parameter => parameter.ParameterType.IsEnum))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}");
        Assert.Equal(taking.Distinct().Order(StringComparer.Ordinal), Calls.Keys.Order(StringComparer.Ordinal));
    }
}
