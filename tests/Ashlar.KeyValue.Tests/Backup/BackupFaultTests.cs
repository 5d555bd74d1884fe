using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>Failing operations during backups: those that were reported hold, and the next one goes through.</summary>
public sealed class BackupFaultTests(ITestOutputHelper output)
{
    const string Backups = "/data/backups";
    const string Store = "/data/store";

    [Theory]
    [InlineData(FaultOperations.Changes, FaultKind.InputOutputError)]
    [InlineData(FaultOperations.Changes, FaultKind.NoSpace)]
    [InlineData(FaultOperations.All & ~FaultOperations.Changes, FaultKind.InputOutputError)]
    public void Any_operation_on_the_backups_may_fail_and_nothing_else_is_harmed(FaultOperations operations, FaultKind kind)
    {
        var rule = new FaultRule(operations, kind) { PathPattern = Backups + "*" };
        var failed = FaultSweep.Run(rule, () => new SimulatedFileSystem(isRecording: false), disk =>
        {
            var reported = new Dictionary<ulong, string>();
            using (var store = KeyValueStore.Open(Store, Options(disk, 1)))
            {
                for (var i = 0; i < 4; i++)
                {
                    Write(store, i);
                    try
                    {
                        reported[store.BackUp(Backups).Number] = Describe(store);
                        if (i == 2 && reported.Remove(1)) new KeyValueBackups(Backups, Options(disk, 1)).Delete(1);
                    }
                    catch (StorageException)
                    {
                    }
                }
            }

            disk.Heal();
            CheckBackups(disk, reported, 1);
        });
        output.WriteLine($"{failed} operations made to fail");
        Assert.True(failed > 10);
    }

    static void CheckBackups(FaultyFileSystem disk, Dictionary<ulong, string> expected, ulong seed)
    {
        var backups = new KeyValueBackups(Backups, Options(disk, seed));
        foreach (var (number, content) in expected)
        {
            Require(backups.Verify(number).IsClean, $"backup {number} is damaged");
            // A restore that was cut off leaves a directory that is not empty.
            var target = $"/data/restored{number}";
            while (disk.DirectoryExists(target)) target += "x";
            backups.Restore(number, target);
            using var restored = KeyValueStore.Open(target, Options(disk, seed));
            Require(Describe(restored) == content, $"backup {number} holds {Describe(restored)} instead of {content}");
        }

        using (var store = KeyValueStore.Open(Store, Options(disk, seed)))
        {
            Require(store.Verify().IsClean, "the store is damaged");
            var number = store.BackUp(Backups).Number;
            Require(backups.Verify(number).IsClean, "the next backup is damaged");
        }

        foreach (var backup in backups.List())
            Require(backup.Damage is null && backups.Verify(backup.Number).IsClean, $"{backup} is damaged");
    }

    static void Require(bool holds, string problem)
    {
        if (!holds) throw new InvalidOperationException(problem);
    }

    static void Write(KeyValueStore store, int round)
    {
        // Most of what a round writes the next one overwrites: what is left of a segment has to move.
        for (var i = 0; i < 12; i++)
        {
            var key = Encoding.UTF8.GetBytes($"key{((round * 5) + (i * 3)) % 11:d2}");
            if (i == 7) store.Delete(key, Durability.Relaxed);
            else store.Put(key, Encoding.UTF8.GetBytes($"{round}.{i}".PadLeft(i % 2 == 0 ? 90 : 40)), Durability.Relaxed);
        }
    }

    static string Describe(KeyValueStore store) => store.ReadAll();

    static KeyValueOptions Options(IFileSystem disk, ulong seed) => new()
    {
        FileSystem = disk,
        Entropy = new SeededEntropy(seed),
        TimeProvider = new SimulatedClock(),
        MemTableBytes = seed % 2 == 0 ? 1500 : 4000,
        TableBytes = 1024,
        BlockBytes = 256,
        LogChunkBytes = 2048,
        LevelZeroTables = 2,
        BlockCacheBytes = 1 << 20,
        BackgroundInline = true,
        SeparatedValueBytes = 60,
        LogSegmentBytes = 1024,
        SpaceAmplification = 1.1,
    };
}
