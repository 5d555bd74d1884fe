using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>A new store from what holds of a damaged one; the damaged one is not touched.</summary>
public sealed class RepairTests
{
    const string Target = "/repaired";

    [Theory, Seeds(count: 20)]
    public void A_sound_store_comes_out_as_it_is(ulong seed)
    {
        var whole = TestStore.NewDisk();
        using (var store = KeyValueStore.Open(TestStore.Directory, RandomHistory.Options(whole, seed))) RandomHistory.Write(store, seed);
        var image = StoreImage.Take(whole);
        var disk = image.ToDisk();
        var report = Repair(disk);
        Assert.True(report.HadManifest);
        Assert.Empty(report.Losses);
        image.RequireSameFiles(disk);
        using var original = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        using var repaired = Open(disk);
        Assert.Equal(original.ReadAll(), repaired.ReadAll());
        Assert.True(repaired.Verify().IsClean);
        Assert.Equal(report.Keys, repaired.GetStatistics().TableEntries);
        repaired.Put("new", "1");
        Assert.True(repaired.VisibleSequence > original.VisibleSequence - 1);
    }

    [Theory, Seeds(count: 6)]
    public void Any_damaged_byte_costs_only_what_the_report_says(ulong seed)
    {
        var (image, model) = NewStore();
        var random = new SeededRandom(seed);
        foreach (var name in image.Files.Keys.Where(name => name != "LOCK").ToArray())
        {
            var whole = image.Files[name];
            for (var round = 0; round < 25; round++)
            {
                image.Files[name] = [.. whole];
                var at = random.Next(whole.Length);
                image.Files[name][at] ^= (byte)(1 << random.Next(8));
                var disk = image.ToDisk();
                var report = Repair(disk);
                image.RequireSameFiles(disk);
                using var repaired = Open(disk);
                Assert.True(repaired.Verify().IsClean);
                var found = Read(repaired);
                foreach (var (key, values) in model)
                {
                    // Never a value that the key did not have; an older one, or none, only where something was lost.
                    if (report.Losses.Count == 0) Assert.Equal(values[^1], found.GetValueOrDefault(key));
                    else if (found.TryGetValue(key, out var value)) Assert.Contains(value, values);
                }
            }

            image.Files[name] = whole;
        }
    }

    [Fact]
    public void A_missing_table_is_reported_and_the_rest_is_there()
    {
        var (image, _) = NewStore();
        var name = image.Only("table-");
        image.Files.Remove(name);
        var disk = image.ToDisk();
        var report = Repair(disk);
        Assert.Equal($"{TestStore.Directory}/{name}", Assert.Single(report.Losses).FilePath);
        using var repaired = Open(disk);
        Assert.Equal("late", repaired.Get("key005"));
    }

    [Fact]
    public void A_deleted_key_stays_deleted_when_its_older_value_can_be_read()
    {
        var (image, _) = NewStore();
        var disk = image.ToDisk();
        Repair(disk);
        using var repaired = Open(disk);
        Assert.Null(repaired.Get("key001"));
        Assert.Null(repaired.Get("key003"));
    }

    [Fact]
    public void Without_a_manifest_all_files_are_used_and_the_report_warns()
    {
        var (image, model) = NewStore();
        image.Files.Remove("MANIFEST");
        var disk = image.ToDisk();
        var report = Repair(disk);
        Assert.False(report.HadManifest);
        Assert.Contains("may be back", Assert.Single(report.Losses).Problem, StringComparison.Ordinal);
        using var repaired = Open(disk);
        Assert.Equal(
            model.Where(pair => pair.Value[^1] is not null).ToDictionary(pair => pair.Key, pair => pair.Value[^1]!), Read(repaired));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_manifest_that_is_older_than_the_files_costs_nothing_of_what_they_hold(bool isMerged)
    {
        var whole = TestStore.NewDisk();
        byte[] older;
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(whole)))
        {
            for (var i = 0; i < 60; i++) store.Put($"key{i:d3}", "old");
            older = StoreImage.Take(whole).Files["MANIFEST"];
            for (var i = 30; i < 90; i++) store.Put($"key{i:d3}", Long($"key{i:d3}", 1));
            if (isMerged) store.Compact();
        }

        var image = StoreImage.Take(whole);
        image.Files["MANIFEST"] = older;
        var disk = image.ToDisk();
        var report = Repair(disk);
        Assert.False(report.HadManifest);
        Assert.Contains("older than the files", report.Losses[0].Problem, StringComparison.Ordinal);
        using var repaired = Open(disk);
        Assert.Equal(90, Read(repaired).Count);
        Assert.Equal(Long("key089", 1), repaired.Get("key089"));
    }

    [Fact]
    public void A_value_that_is_lost_leaves_no_older_one_behind()
    {
        var (image, _) = NewStore();
        var value = Encoding.UTF8.GetBytes(Long("key006", 2));
        var log = image.Files.Keys.Single(name => image.Files[name].AsSpan().IndexOf(value) > 0);
        var at = image.Files[log].AsSpan().IndexOf(value);
        image.Files[log][at] ^= 1;
        var disk = image.ToDisk();
        var loss = Assert.Single(Repair(disk).Losses);
        Assert.Equal("\"key006\"", loss.Keys);
        Assert.Equal(at, loss.OffsetBytes);
        using var repaired = Open(disk);
        Assert.Null(repaired.Get("key006"));
        Assert.Equal(Long("key008", 2), repaired.Get("key008"));
    }

    [Fact]
    public void A_store_in_use_and_a_target_with_something_in_it_are_refused()
    {
        var (image, _) = NewStore();
        var disk = image.ToDisk();
        using (KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk))) Assert.Throws<LockedException>(() => Repair(disk));
        Repair(disk);
        Assert.Equal(StorageErrorKind.AlreadyExists, Assert.Throws<StorageException>(() => Repair(disk)).Kind);
    }

    [Theory, InlineData(Target), InlineData(TestStore.Directory)]
    public void Any_operation_may_fail_and_leaves_the_whole_store_or_none(string where)
    {
        var (image, model) = NewStore();
        var expected = model.Where(pair => pair.Value[^1] is not null).ToDictionary(pair => pair.Key, pair => pair.Value[^1]!);
        var (refused, repaired) = (0, 0);
        var failed = FaultSweep.Run(
            new FaultRule(FaultOperations.All, FaultKind.InputOutputError) { PathPattern = where + "*" },
            image.ToDisk,
            disk =>
            {
                RepairReport? report = null;
                try
                {
                    report = KeyValueRepair.Run(TestStore.Directory, Target, Options(disk));
                }
                catch (StorageException)
                {
                    refused++;
                }

                disk.Heal();
                if (!disk.FileExists($"{Target}/MANIFEST"))
                {
                    Assert.Null(report);
                    return;
                }

                // What failed is no damage: nothing may be missing because of it.
                repaired++;
                if (report is not null) Assert.Empty(report.Losses);
                using var store = KeyValueStore.Open(Target, Options(disk));
                Assert.Equal(expected, Read(store));
                Assert.True(store.Verify().IsClean);
            });
        Assert.True(failed > 10 && refused > 10 && repaired > 0, $"{failed} failed, {refused} refused, {repaired} repaired");
    }

    [Fact]
    public void A_power_cut_leaves_a_whole_new_store_or_none()
    {
        var (image, model) = NewStore();
        var expected = model.Where(pair => pair.Value[^1] is not null).ToDictionary(pair => pair.Key, pair => pair.Value[^1]!);
        var result = CrashExplorer.Explore(
            disk =>
            {
                image.WriteTo(disk);
                disk.Mark("store");
                KeyValueRepair.Run(TestStore.Directory, Target, Options(disk));
                disk.Mark("repaired");
            },
            state =>
            {
                if (state.Marks.Count > 0) image.RequireSameFiles(state.Disk);
                if (!state.Disk.FileExists($"{Target}/MANIFEST"))
                {
                    Assert.DoesNotContain("repaired", state.Marks);
                    return;
                }

                using var repaired = Open(state.Disk);
                state.RecoveryDone();
                Assert.Equal(expected, Read(repaired));
                Assert.True(repaired.Verify().IsClean);
            },
            new CrashExplorerOptions { StateBudget = 500, NestedOneIn = 2, NestedBudget = 5 });
        Assert.True(new CrashExplorerOptions().Replay is not null || (result.Distinct > 100 && result.Nested > 0), $"only {result}");
    }

    // Two rounds of writes through tables, values that stay in the log, tombstones, and a third round in the log only.
    static (StoreImage Image, Dictionary<string, List<string?>> Model) NewStore()
    {
        var disk = TestStore.NewDisk();
        var model = new Dictionary<string, List<string?>>(StringComparer.Ordinal);
        using (var store = KeyValueStore.Open(TestStore.Directory, Options(disk)))
        {
            for (var round = 1; round <= 2; round++)
            {
                for (var i = 0; i < 30; i++)
                {
                    var key = $"key{i:d3}";
                    Put(key, i % 2 == 0 ? Long(key, round) : $"{round}");
                }

                if (round == 2) Put("key001", null);
                store.Flush();
            }

            Put("key003", null);
            Put("key005", "late");

            void Put(string key, string? value)
            {
                if (value is null) store.Delete(key);
                else store.Put(key, value);
                if (!model.TryGetValue(key, out var values)) model[key] = values = [];
                values.Add(value);
            }
        }

        return (StoreImage.Take(disk), model);
    }

    static string Long(string key, int round) => $"{key}.{round}".PadRight(150, 'v');

    static Dictionary<string, string> Read(KeyValueStore store)
    {
        var found = new Dictionary<string, string>();
        using var cursor = store.Scan(KeyRange.All);
        while (cursor.MoveNext()) found[Encoding.UTF8.GetString(cursor.Key)] = Encoding.UTF8.GetString(cursor.Value);
        return found;
    }

    static RepairReport Repair(SimulatedFileSystem disk) =>
        KeyValueRepair.Run(TestStore.Directory, Target, Options(new ReadOnlyFileSystem(disk, TestStore.Directory)));

    static KeyValueStore Open(SimulatedFileSystem disk) => KeyValueStore.Open(Target, Options(disk));

    static KeyValueOptions Options(IFileSystem disk) =>
        TestStore.Small(disk) with { SeparatedValueBytes = 100, MemTableBytes = 3000, LevelZeroTables = 6 };
}
