using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>Power cuts while a store is restored, and right after: once that returned the store is there for good, whole.</summary>
public sealed class RestoreCrashTests(ITestOutputHelper output)
{
    const string Archive = "/archive", Backups = "/backups", Target = "/restored";

    public enum Kind
    {
        Backup,
        PointInTime,
    }

    [Theory, InlineData(Kind.Backup), InlineData(Kind.PointInTime)]
    public void A_power_cut_leaves_the_restored_store_or_none_and_none_is_lost_once_it_was_reported(Kind kind)
    {
        var (disk, expected) = NewDisk(kind);
        disk.RestartTrace();
        Restore(kind, disk);
        disk.Mark("restored");
        var (reported, opened) = (0, 0);
        var options = new CrashExplorerOptions { StateBudget = 1500, NestedOneIn = 40, NestedBudget = 5 };
        var result = CrashExplorer.Explore(disk, Check, options);
        output.WriteLine($"{result}, {reported} after it was reported, {opened} stores found");
        Assert.True(
            options.Replay is not null || (result.Distinct > 150 && reported > 0 && opened > reported), $"{result}, {opened} stores");

        void Check(CrashState state)
        {
            if (state.Marks.Count > 0) reported++;
            else if (!state.Disk.FileExists($"{Target}/MANIFEST")) return;
            opened++;
            using var store = KeyValueStore.Open(Target, Options(state.Disk) with { LogArchiveDirectory = null, CreateIfMissing = false });
            state.RecoveryDone();
            Assert.Equal(expected, store.ReadAll());
            Assert.Empty(store.Verify().Problems);
            store.Put("later", "1");
        }
    }

    [Theory]
    [InlineData(Kind.Backup, FaultKind.InputOutputError)]
    [InlineData(Kind.Backup, FaultKind.NoSpace)]
    [InlineData(Kind.PointInTime, FaultKind.InputOutputError)]
    [InlineData(Kind.PointInTime, FaultKind.NoSpace)]
    public void Whatever_fails_there_is_the_whole_store_or_an_error_and_none(Kind kind, FaultKind fault)
    {
        var (source, expected) = NewDisk(kind);
        var (refused, restored) = (0, 0);
        var rule = new FaultRule(FaultOperations.All, fault) { PathPattern = "*" };
        var failed = FaultSweep.Run(rule, () => Copy(source), disk =>
        {
            var isReported = false;
            try
            {
                Restore(kind, disk);
                isReported = true;
            }
            catch (AshlarException)
            {
                refused++;
            }

            disk.Heal();
            if (!disk.FileExists($"{Target}/MANIFEST"))
            {
                Assert.False(isReported, "it was reported, and there is no store");
                return;
            }

            restored++;
            using var store = KeyValueStore.Open(Target, Options(disk) with { LogArchiveDirectory = null, CreateIfMissing = false });
            Assert.Equal(expected, store.ReadAll());
            Assert.Empty(store.Verify().Problems);
        });
        output.WriteLine($"{failed} operations made to fail, {refused} restores refused, {restored} stores");
        Assert.True(failed > 40 && refused > 20 && restored > 0, $"{failed} failed, {refused} refused, {restored} stores");
    }

    static void Restore(Kind kind, IFileSystem disk)
    {
        var backups = new KeyValueBackups(Backups, Options(disk));
        if (kind == Kind.Backup) backups.Restore(2, Target);
        else backups.Restore(RestorePoint.Latest, new LogArchive(Archive, Options(disk)), Target);
    }

    static (SimulatedFileSystem Disk, string Content) NewDisk(Kind kind)
    {
        var disk = new SimulatedFileSystem();
        using var store = KeyValueStore.Open(TestStore.Directory, Options(disk));
        Fill(0, 30);
        store.BackUp(Backups);
        Fill(20, 50);
        store.Compact();
        store.Put("tail", "1", Durability.Relaxed);
        store.BackUp(Backups);
        var content = store.ReadAll();
        Fill(40, 60);
        store.ArchiveLog();
        return (disk, kind == Kind.Backup ? content : store.ReadAll());

        void Fill(int from, int to)
        {
            for (var i = from; i < to; i++) store.Put($"key{i:d2}", $"{from}.{i}".PadLeft(i % 3 == 0 ? 200 : 30, 'v'), Durability.Relaxed);
        }
    }

    static SimulatedFileSystem Copy(SimulatedFileSystem disk)
    {
        var copy = new SimulatedFileSystem(isRecording: false);
        foreach (var directory in (string[])[Archive, Backups])
        {
            copy.CreateDirectory(directory);
            foreach (var (name, bytes) in StoreImage.Take(disk, directory).Files)
            {
                using var file = copy.Open($"{directory}/{name}", FileOpenMode.CreateNew);
                file.Write(bytes, 0);
            }
        }

        return copy;
    }

    static KeyValueOptions Options(IFileSystem disk) => TestStore.Small(disk) with
    {
        SeparatedValueBytes = 100,
        MemTableBytes = 2500,
        LogSegmentBytes = 3000,
        LogArchiveDirectory = Archive,
    };
}
