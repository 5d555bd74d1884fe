namespace Ashlar.KeyValue.Tests;

/// <summary>
/// A key that was overwritten very often costs a scan a few steps, in memory and in tables, in whatever way it gets there.
/// </summary>
[Trait("disk", "any")]
public sealed class HotKeyTests
{
    const int Versions = 10_000, MostSteps = 40;

    public static TheoryData<bool, bool> Cases { get; } = new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory, MemberData(nameof(Cases))]
    public void Its_versions_are_skipped_by_scans(bool isDeleted, bool isInTable)
    {
        using var store = OpenAndOverwrite(isDeleted, isInTable);
        var newest = isDeleted ? "" : $"hot={Versions - 1} ";
        AssertFinds($"a=1 {newest}z=1", store.Scan(KeyRange.All));
        AssertFinds($"z=1 {newest}a=1", store.Scan(KeyRange.All, ScanDirection.Backward));
        AssertFinds($"{newest}z=1", store.Scan(KeyRange.From("b"u8)));
        AssertFinds("z=1", store.Scan(KeyRange.From("i"u8)));
        AssertFinds($"{newest}a=1", store.Scan(KeyRange.Before("i"u8), ScanDirection.Backward));
    }

    [Theory, MemberData(nameof(Cases))]
    public void Its_newer_versions_are_skipped_by_scans_of_a_snapshot(bool isDeleted, bool isInTable)
    {
        using var store = Open();
        store.Put("a", "1");
        using var before = store.CreateSnapshot();
        store.Put("hot", "first");
        store.Put("z", "1");
        using var first = store.CreateSnapshot();
        Overwrite(store, 0, Versions / 2);
        using var middle = store.CreateSnapshot();
        Overwrite(store, Versions / 2, Versions);
        if (isDeleted) store.Delete("hot");
        if (isInTable) store.Flush();

        AssertFinds("a=1", before.Scan(KeyRange.All));
        AssertFinds("a=1", before.Scan(KeyRange.All, ScanDirection.Backward));
        AssertFinds("a=1 hot=first z=1", first.Scan(KeyRange.All));
        AssertFinds("z=1 hot=first a=1", first.Scan(KeyRange.All, ScanDirection.Backward));
        AssertFinds($"a=1 hot={(Versions / 2) - 1} z=1", middle.Scan(KeyRange.All));
        AssertFinds($"z=1 hot={(Versions / 2) - 1} a=1", middle.Scan(KeyRange.All, ScanDirection.Backward));
    }

    static KeyValueStore OpenAndOverwrite(bool isDeleted, bool isInTable)
    {
        var store = Open();
        store.Put("a", "1");
        store.Put("z", "1");
        Overwrite(store, 0, Versions);
        if (isDeleted) store.Delete("hot");
        if (isInTable) store.Flush();
        return store;
    }

    static void Overwrite(KeyValueStore store, int from, int to)
    {
        for (var i = from; i < to; i++) store.Put("hot", $"{i}", Durability.Relaxed);
    }

    static KeyValueStore Open() =>
        KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.AnyDisk()) with { MemTableBytes = 8 << 20 });

    static void AssertFinds(string expected, KeyValueCursor cursor)
    {
        Assert.Equal(expected, cursor.ReadAll());
        Assert.InRange(cursor.Steps, 0, MostSteps);
    }
}
