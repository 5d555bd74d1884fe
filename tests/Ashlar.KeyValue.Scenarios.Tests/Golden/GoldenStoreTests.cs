using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// What earlier versions wrote is read as it was written: stores, their backups and their archives. The files lie in the repository and
/// never change; a version that writes something else adds its own (docs/testing.md says how).
/// </summary>
public sealed class GoldenStoreTests
{
    static readonly string GoldenDirectory = Path.Combine(AppContext.BaseDirectory, "Golden");

    public static TheoryData<string> Names =>
        [.. Directory.EnumerateDirectories(GoldenDirectory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Names))]
    public void A_golden_store_is_sound_holds_what_was_written_and_goes_on(string name) =>
        Check(GoldenDisk.Load(Path.Combine(GoldenDirectory, name)));

    // ASHLAR_WRITE_GOLDEN=DIRECTORY keeps it.
    [Theory]
    [InlineData("plain", Features.Backups | Features.Archive | Features.Queue | Features.Expiry, 5UL)]
    [InlineData("sharded", Features.Shards | Features.SaltedKeys | Features.Backups | Features.Archive, 4UL)]
    public void What_this_version_writes_can_be_kept_as_golden(string name, Features features, ulong seed)
    {
        var options = new ScenarioOptions(seed, features, OperationCount: 60);
        var disk = new SimulatedFileSystem(isRecording: false);
        var content = Write(options, disk);
        Assert.True(content.Content.Count > 5, $"{content.Content.Count} entries");
        Assert.NotEmpty(content.Backups);
        if (Environment.GetEnvironmentVariable("ASHLAR_WRITE_GOLDEN") is { Length: > 0 } target)
            GoldenDisk.Save(disk, content, Path.Combine(target, name));
        Check((disk, content));
    }

    static GoldenContent Write(ScenarioOptions options, SimulatedFileSystem disk)
    {
        var scenario = new StoreScenario(options);
        var marks = new ScenarioMarks(scenario.Run(disk, disk, hasFaults: false));
        var backups = new SortedDictionary<ulong, SortedDictionary<string, string>>();
        foreach (var number in marks.Backups) backups.Add(number, scenario.BackupEntries[number]);
        return new GoldenContent(options, marks.Generation, scenario.Model.Copy(), backups);
    }

    static void Check((SimulatedFileSystem Disk, GoldenContent Expected) one)
    {
        var (disk, expected) = one;
        var options = expected.Options;
        using (var store = ScenarioStore.Open(options, expected.Generation, disk, options.Seed))
        {
            Assert.Equal(expected.Content, store.ReadAll());
            Assert.All(expected.Content, entry => Assert.Equal(entry.Value, System.Text.Encoding.UTF8.GetString(store.Get(entry.Key)!)));
            Assert.Empty(store.Problems);
        }

        var backups = new ScenarioBackups(options, disk, expected.Generation, 1);
        foreach (var (number, content) in expected.Backups)
        {
            Assert.Empty(backups.Verify(number));
            backups.Restore(number, $"/restored{number}");
            using var restored = ScenarioStore.OpenCopy(options, $"/restored{number}", disk);
            Assert.Equal(content, restored.ReadAll());
        }

        if (options.Has(Features.Archive)) Assert.Empty(backups.ArchiveProblems());
        if (options.Has(Features.Archive) && !options.IsSharded)
        {
            backups.RestoreLatest("/latest");
            using var restored = ScenarioStore.OpenCopy(options, "/latest", disk);
            Assert.Equal(expected.Content, restored.ReadAll());
        }

        using (var store = ScenarioStore.Open(options, expected.Generation, disk, options.Seed + 1))
        {
            var batch = new WriteBatch();
            batch.Put("zzz"u8, "1"u8);
            store.Write(batch, Durability.Sync);
            store.Compact();
            Assert.Equal(expected.Content.Append(KeyValuePair.Create("zzz", "1")), store.ReadAll());
            Assert.Empty(store.Problems);
        }
    }
}
