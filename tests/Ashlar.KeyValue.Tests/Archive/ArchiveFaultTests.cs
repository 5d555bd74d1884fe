using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Failing operations while the log is archived. Whatever happens: archive and backup restore every write that the
/// archive promised, the archive has no gap and is never ahead of the store, and the store itself is as if there were no archive.
/// </summary>
public sealed class ArchiveFaultTests(ITestOutputHelper output)
{
    const string Store = "/data/store", Archive = "/data/archive", Backups = "/data/backups";

    [Theory]
    [InlineData(FaultOperations.Changes, FaultKind.InputOutputError, false)]
    [InlineData(FaultOperations.Changes, FaultKind.InputOutputError, true)]
    [InlineData(FaultOperations.Changes, FaultKind.NoSpace, false)]
    [InlineData(FaultOperations.Changes, FaultKind.NoSpace, true)]
    [InlineData(FaultOperations.Write, FaultKind.ShortWrite, false)]
    [InlineData(FaultOperations.Sync, FaultKind.LostSync, false)]
    [InlineData(FaultOperations.All & ~FaultOperations.Changes, FaultKind.InputOutputError, false)]
    [InlineData(FaultOperations.All & ~FaultOperations.Changes, FaultKind.InputOutputError, true)]
    public void Any_operation_on_the_archive_may_fail_and_the_store_goes_on(FaultOperations operations, FaultKind kind, bool isSticky)
    {
        var rule = new FaultRule(operations, kind) { PathPattern = Archive + "*", IsSticky = isSticky };
        var failed = FaultSweep.Run(rule, () => new SimulatedFileSystem(isRecording: false), disk =>
        {
            var workload = new Workload(1);
            using (var store = KeyValueStore.Open(Store, workload.Options(disk)))
            {
                store.BackUp(Backups);
                workload.Run(store, 40); // Nothing that it does may fail.
                disk.Heal();
                store.ArchiveLog();
                CheckChain(disk);
                Require(store.GetStatistics() is { ArchiveLagBytes: 0, LastArchiveFailure: null }, "log is kept for no reason");
                workload.RequireRestored(disk, workload.Step, workload.Step);
                Require(store.Verify().IsClean, "the store is damaged");
            }

            using (var store = KeyValueStore.Open(Store, workload.Options(disk))) workload.RequireContent(
                store.ReadAll(), workload.Step, workload.Step);
        });
        output.WriteLine($"{failed} operations made to fail");
        Assert.True(failed > 4);
    }

    [Theory]
    [InlineData(FaultOperations.Changes, FaultKind.InputOutputError, false)]
    [InlineData(FaultOperations.Changes, FaultKind.NoSpace, true)]
    [InlineData(FaultOperations.Sync, FaultKind.LostSync, false)]
    public void Any_operation_on_the_store_may_fail_and_the_archive_goes_on_after_reopening(
        FaultOperations operations, FaultKind kind, bool isSticky)
    {
        var rule = new FaultRule(operations, kind) { PathPattern = Store + "*", IsSticky = isSticky };
        var failed = FaultSweep.Run(rule, NewDisk, disk =>
        {
            var workload = new Workload(3);
            try
            {
                using var store = KeyValueStore.Open(Store, workload.Options(disk));
                for (var i = 0; i < 30; i++) workload.Try(store);
            }
            catch (AshlarException)
            {
                // It could not be opened or closed.
            }

            disk.Heal();
            using (var store = KeyValueStore.Open(Store, workload.Options(disk)))
            {
                store.Put("after", "1");
                store.ArchiveLog();
                CheckChain(disk);
                workload.RequireRestoredAs(disk, store.ReadAll());
                Require(store.GetStatistics().ArchiveLagBytes == 0, "log is kept for no reason");
                Require(store.Verify().IsClean, "the store is damaged");
            }
        });
        output.WriteLine($"{failed} operations made to fail");
        Assert.True(failed > 20);

        static SimulatedFileSystem NewDisk()
        {
            var disk = new SimulatedFileSystem(isRecording: false);
            var workload = new Workload(3);
            using var store = KeyValueStore.Open(Store, workload.Options(disk));
            store.BackUp(Backups);
            workload.Run(store, 10);
            return disk;
        }
    }

    [Fact]
    public void While_the_archive_fails_the_log_fills_the_disk_and_when_it_works_again_writing_goes_on()
    {
        var inner = new SimulatedFileSystem(isRecording: false) { CapacityBytes = 200_000 };
        var rule = new FaultRule(FaultOperations.All, FaultKind.InputOutputError) { PathPattern = Archive + "*", IsSticky = true };
        var disk = new FaultyFileSystem(inner, rule);
        var workload = new Workload(2);
        using var store = KeyValueStore.Open(Store, workload.Options(disk));
        store.BackUp(Backups);
        var full = Assert.Throws<StorageException>(() =>
        {
            for (var i = 0; i < 10_000; i++) workload.Run(store, 1);
        });
        Assert.Equal(StorageErrorKind.NoSpace, full.Kind);
        workload.RequireContent(store.ReadAll(), workload.Step, workload.Step);
        inner.CapacityBytes = 500_000; // For the archive, which lies on the same disk here.
        disk.Heal();
        store.ArchiveLog();
        Assert.Equal(0, store.GetStatistics().ArchiveLagBytes);
        workload.Run(store, 20);
        workload.RequireContent(store.ReadAll(), workload.Step, workload.Step);
    }

    static void CheckChain(IFileSystem disk)
    {
        var report = new LogArchive(Archive, new KeyValueOptions { FileSystem = disk }).Verify();
        if (report.Problems.Count > 0) throw report.Problems[0];
    }

    static void Require(bool holds, string problem)
    {
        if (!holds) throw new InvalidOperationException(problem);
    }

    /// <summary>Writes, flushes, merges, archives, reopenings, backups and pruning, with the content after each change.</summary>
    sealed class Workload(ulong seed)
    {
        readonly SeededRandom random = new(seed);
        readonly List<string> contents = [""];
        readonly SortedDictionary<string, string> model = new(StringComparer.Ordinal);
        int restores;

        public int Step => contents.Count - 1;

        public KeyValueOptions Options(IFileSystem disk) => new()
        {
            FileSystem = disk,
            Entropy = new SeededEntropy(seed),
            TimeProvider = new SimulatedClock(),
            LogArchiveDirectory = Archive,
            MemTableBytes = seed % 2 == 0 ? 1500 : 4000,
            LogSegmentBytes = seed % 3 == 0 ? 1 << 20 : 1500,
            SeparatedValueBytes = seed % 4 < 2 ? 60 : int.MaxValue,
            SpaceAmplification = 1.1,
            TableBytes = 1024,
            BlockBytes = 256,
            LogChunkBytes = 2048,
            ManifestRewriteBytes = 400,
            LevelZeroTables = 2,
            SpaceReserveBytes = 0,
            RelaxedLossBytes = 4096,
            BlockCacheBytes = 1 << 20,
            BackgroundInline = true,
        };

        public void Run(KeyValueStore store, int count)
        {
            for (var i = 0; i < count; i++)
            {
                switch (random.Next(14))
                {
                    case 0: store.Flush(); break;
                    case 1: store.Compact(); break;
                    case 2: TryArchive(store.ArchiveLog); break;
                    case 3: TryArchive(store.ArchiveDurableLog); break;
                }

                Write(store);
            }
        }

        /// <summary>One step that may fail.</summary>
        public void Try(KeyValueStore store)
        {
            try
            {
                Run(store, 1);
            }
            catch (AshlarException)
            {
            }
        }

        static void TryArchive(Action archive)
        {
            try
            {
                archive();
            }
            catch (Exception told) when (told is StorageException or CorruptDataException)
            {
                // It is tried again.
            }
        }

        void Write(KeyValueStore store)
        {
            var batch = new WriteBatch();
            var changed = new SortedDictionary<string, string>(model, StringComparer.Ordinal);
            for (var count = random.OneIn(3) ? 3 : 1; count > 0; count--)
            {
                var key = $"key{random.Next(8)}";
                if (random.OneIn(5))
                {
                    batch.Delete(TestStore.Bytes(key));
                    changed.Remove(key);
                }
                else
                {
                    changed[key] = $"{Step + 1}.{count}".PadLeft(random.Next(10, random.OneIn(5) ? 600 : 90), '.');
                    batch.Put(TestStore.Bytes(key), TestStore.Bytes(changed[key]));
                }
            }

            store.Write(batch, (Durability)random.Next(3));
            model.Clear();
            foreach (var (key, value) in changed) model[key] = value;
            contents.Add(string.Join(' ', model.Select(pair => $"{pair.Key}={pair.Value}")));
        }

        public void RequireContent(string found, int least, int most)
        {
            for (var step = least; step <= Math.Min(most, Step); step++)
            {
                if (contents[step] == found) return;
            }

            throw new InvalidOperationException(
                $"found {found}\nwhich is not the content after any of {least} to {most}; {contents[least]}");
        }

        public void RequireRestored(IFileSystem disk, int least, int most) => RequireContent(Restore(disk), least, most);

        public void RequireRestoredAs(IFileSystem disk, string content)
        {
            if (Restore(disk) is var found && found != content)
                throw new InvalidOperationException($"restored {found}\nthe store holds {content}");
        }

        string Restore(IFileSystem disk)
        {
            var target = $"/restored{++restores}";
            var options = Options(disk);
            new KeyValueBackups(Backups, options).Restore(RestorePoint.Latest, new LogArchive(Archive, options), target);
            using var store = KeyValueStore.Open(target, options with { LogArchiveDirectory = null });
            return store.ReadAll();
        }
    }
}
