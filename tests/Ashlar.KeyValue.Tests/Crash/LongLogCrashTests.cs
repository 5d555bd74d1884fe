using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Power cuts and deaths under a log that is longer than what recovery takes in one go: when it reads it, when it searches behind a
/// group that does not hold, and when it writes its end again (1 MiB, 256 KiB and 1 MiB).
/// </summary>
public sealed class LongLogCrashTests(ITestOutputHelper output)
{
    const string Directory = "/data/store";
    const int OneGoBytes = 1 << 20, Writes = 56, FirstUnsynced = 16, LastUnsynced = 46;

    static readonly ulong Seed = TestSeeds.First(nameof(LongLogCrashTests));

    // Groups lie anywhere at the windows' ends.
    static readonly byte[][] Values = [.. Enumerable.Range(0, Writes + 2).Select(number =>
    {
        var random = SeededRandom.For(Seed, $"value {number}");
        return random.Bytes(random.Next(20 << 10, 80 << 10));
    })];

    [Fact]
    public void A_log_of_several_windows_is_found_up_to_one_moment_that_holds_all_that_was_durable()
    {
        var disk = new SimulatedFileSystem();
        Work(disk);
        var gate = new Lock();
        var (longLogs, longTails, longDrops) = (0, 0, 0);
        var result = CrashExplorer.Explore(
            disk,
            state =>
            {
                var (report, tail) = Check(state);
                lock (gate)
                {
                    if (report.Bytes > 2 * OneGoBytes) longLogs++;
                    if (tail > OneGoBytes) longTails++;
                    if (report.TornBytes > OneGoBytes / 4) longDrops++;
                }
            },
            new CrashExplorerOptions
            {
                Seed = Seed,
                StateBudget = TestTier.Choose(250, 1500),
                RandomSubsets = 4,
                LongestFamily = 8,
                NestedOneIn = 25,
                NestedBudget = 4,
                KilledOneIn = 6,
            });
        if (new CrashExplorerOptions().Replay is not null) return;
        Assert.True(result.Images >= TestTier.Choose(150, 1000), $"only {result}");
        Assert.True(result.Nested >= TestTier.Choose(20, 100) && result.Deaths >= 4, $"only {result}");
        Assert.True(longLogs >= 10, $"only {longLogs} logs of more than two windows");
        Assert.True(longTails >= 5, $"only {longTails} ends of more than a window that were not durable");
        Assert.True(longDrops >= 10, $"only {longDrops} searches of more than a piece");
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "engine crash states of long logs",
            seed = Seed,
            distinct = result.Images,
            nested = result.Nested,
            deaths = result.Deaths,
            longLogs,
            longTails,
            longDrops,
            failures = 0,
        }));
    }

    // Durable, then a stretch without a flush that is longer than a window, then durable again.
    static void Work(SimulatedFileSystem disk)
    {
        using var store = KeyValueStore.Open(Directory, Options(disk, Seed));
        for (var number = 1; number <= Writes; number++)
        {
            var isDurable = number is < FirstUnsynced or > LastUnsynced;
            if (number == FirstUnsynced) disk.RestartTrace(); // What is durable before it, power does not take.
            disk.Mark(number);
            store.Put(Key(number), Values[number], isDurable ? Durability.Sync : Durability.Relaxed);
            if (isDurable) disk.Mark(-number);
        }
    }

    static (RecoveryReport Report, long UnsyncedBytes) Check(CrashState state)
    {
        var begun = state.Marks.OfType<int>().DefaultIfEmpty(FirstUnsynced - 1).Max();
        var promised = Math.Max(FirstUnsynced - 1, -state.Marks.OfType<int>().DefaultIfEmpty(0).Min());
        using var store = KeyValueStore.Open(Directory, Options(state.Disk, state.Seed));
        state.RecoveryDone();
        var found = Count(store);
        if (found < promised || found > begun)
            throw new InvalidOperationException($"{promised} writes were promised and {begun} begun; {found} are there");
        store.Put(Key(found + 1), Values[found + 1], Durability.Sync);
        using var again = KeyValueStore.Open(Directory, Options(state.Disk.LosePower(state.Seed), state.Seed));
        var foundAgain = Count(again);
        if (foundAgain != found + 1) throw new InvalidOperationException($"{foundAgain} of {found + 1} are there after a second loss");
        return (store.Recovery, Enumerable.Range(promised + 1, found - promised).Sum(number => (long)Values[number].Length));
    }

    /// <summary>How many of the first writes are there; no other may be.</summary>
    static int Count(KeyValueStore store)
    {
        var count = 0;
        using var cursor = store.Scan(KeyRange.All);
        while (cursor.MoveNext())
        {
            count++;
            if (!cursor.Key.SequenceEqual(Key(count))) throw new InvalidOperationException($"write {count} is missing");
            if (!cursor.Value.SequenceEqual(Values[count])) throw new InvalidOperationException($"write {count} holds something else");
        }

        return count;
    }

    static byte[] Key(int number) => TestStore.Bytes($"{number:D4}");

    static KeyValueOptions Options(SimulatedFileSystem disk, ulong entropy) => TestStore.Small(disk) with
    {
        Entropy = new SeededEntropy(entropy),
        MemTableBytes = 16 << 20,
        LogSegmentBytes = 16 << 20,
        LogChunkBytes = 256 << 10,
        TableBytes = 1 << 20,
        RelaxedLossTime = TimeSpan.FromDays(1000),
        RelaxedLossBytes = 1 << 30,
    };
}
