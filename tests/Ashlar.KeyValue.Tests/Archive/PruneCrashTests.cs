using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>Power cuts while parts of an archive are deleted: what is left has no gap, and restores what it did before.</summary>
public sealed class PruneCrashTests(ITestOutputHelper output)
{
    const string Archive = "/archive", Backups = "/backups";

    [Fact]
    public void A_power_cut_while_parts_are_deleted_leaves_an_archive_without_a_gap()
    {
        var disk = new SimulatedFileSystem();
        string expected;
        using (var store = KeyValueStore.Open(TestStore.Directory, Options(disk)))
        {
            store.BackUp(Backups);
            Write(store, 0, 6);
            store.BackUp(Backups);
            Write(store, 6, 9);
            expected = store.ReadAll();
        }

        BackupsOn(disk).Delete(1);
        disk.RestartTrace();
        var deleted = ArchiveOn(disk).Prune(BackupsOn(disk)).Count;
        Assert.True(deleted >= 5, $"only {deleted} parts were deleted");
        disk.Mark("pruned");

        var partsLeft = new HashSet<int>();
        var options = new CrashExplorerOptions { ExhaustiveLimit = 12 };
        var result = CrashExplorer.Explore(
            disk,
            state =>
            {
                var archive = ArchiveOn(state.Disk);
                Assert.Empty(archive.Verify().Problems);
                partsLeft.Add(archive.Inspect().Parts.Count);
                BackupsOn(state.Disk).Restore(RestorePoint.Latest, archive, "/restored");
                using var restored = KeyValueStore.Open("/restored", Options(state.Disk) with { LogArchiveDirectory = null });
                Assert.Equal(expected, restored.ReadAll());
                archive.Prune(BackupsOn(state.Disk));
                Assert.Empty(archive.Verify().Problems);
            },
            options);
        output.WriteLine($"{deleted} parts deleted, {partsLeft.Count} numbers of parts left, {result}");
        Assert.True(options.Replay is not null || partsLeft.Count > deleted, $"{partsLeft.Count} of {deleted + 1}");
    }

    static void Write(KeyValueStore store, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            store.Put($"key{i}", $"{i}");
            store.ArchiveLog();
        }
    }

    static LogArchive ArchiveOn(IFileSystem disk) => new(Archive, Options(disk));

    static KeyValueBackups BackupsOn(IFileSystem disk) => new(Backups, Options(disk));

    static KeyValueOptions Options(IFileSystem disk) => TestStore.Small(disk) with { LogArchiveDirectory = Archive };
}
