using System.Reflection;

namespace Ashlar.KeyValue.Tests;

/// <summary>A value of an enumeration that has no name is refused by whatever takes one, before anything is done.</summary>
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
        ["KeyValueStore.Write"] = store => store.Write(new WriteBatch(), (Durability)Unknown),
        ["KeyValueStore.PutAsync"] = store => _ = store.PutAsync("a"u8, "1"u8, (Durability)Unknown).AsTask(),
        ["KeyValueStore.DeleteAsync"] = store => _ = store.DeleteAsync("a"u8, (Durability)Unknown).AsTask(),
        ["KeyValueStore.WriteAsync"] = store => _ = store.WriteAsync(new WriteBatch(), (Durability)Unknown).AsTask(),
    };

    [Fact]
    public void It_is_refused_wherever_a_choice_is_taken()
    {
        var disk = TestStore.NewDisk();
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        store.Put("kept", "1");
        foreach (var (name, call) in Calls)
            Assert.True(Record.Exception(() => call(store)) is ArgumentOutOfRangeException { ActualValue: not null }, name);
        Assert.Equal("kept=1", store.ReadAll());
        Assert.Equal(0, store.GetStatistics().Cursors);
        Assert.False(disk.DirectoryExists("/backups"));
    }

    [Fact]
    public void No_method_that_takes_a_choice_is_forgotten_here()
    {
        var taking = typeof(KeyValueStore).Assembly.GetExportedTypes()
            .Where(type => !type.IsAssignableTo(typeof(Exception)) && !type.IsAssignableTo(typeof(Attribute)))
            .SelectMany(type => type.GetMethods(
                BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => !method.DeclaringType!.IsEnum && method.GetParameters().Any(parameter => parameter.ParameterType.IsEnum))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}");
        Assert.Equal(taking.Distinct().Order(StringComparer.Ordinal), Calls.Keys.Order(StringComparer.Ordinal));
    }
}
