using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Every call takes effect at one moment between its beginning and its end: puts, deletes, batches over two keys, gets,
/// snapshots and scans of eight clients, with memtables, tables and merges changing under them.
/// </summary>
[Trait("disk", "any, slow")]
public sealed class LinearizabilityTests(ITestOutputHelper output)
{
    const int Clients = 8, CallsPerClient = 64;

    static int Count => TestSeeds.Number("ASHLAR_HISTORIES", 200);

    [Fact]
    public void Concurrent_histories_are_linearizable()
    {
        var first = TestSeeds.First(nameof(Concurrent_histories_are_linearizable));
        long calls = 0, overlaps = 0, unknown = 0;
        for (var seed = first; seed < first + (ulong)Count; seed++)
        {
            var clients = Run(seed);
            foreach (var (index, history) in clients.Histories.Index())
            {
                calls += history.Count;
                overlaps += CountOverlaps(history);
                var verdict = PairOperation.NewChecker().Check(history);
                Assert.True(verdict != Linearizability.No, $"ASHLAR_SEED={seed}, pair {index}: no order explains\n{Describe(history)}");
                if (verdict == Linearizability.Unknown) unknown++;
            }
        }

        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "engine linearizability",
            seed = first,
            histories = Count,
            clients = Clients,
            calls,
            overlaps,
            unknown,
            failures = 0,
        }));
        Assert.True(overlaps >= Count * Clients, $"only {overlaps} calls overlapped");
        Assert.True(unknown * 200 <= Count * 4, $"{unknown} histories are undecided.");
    }

    // What each of these does wrong takes calls that overlap in one order: here they do, whatever the machine's pace.
    [Theory]
    [InlineData(nameof(ClientBug.None), "sound")]
    [InlineData(nameof(ClientBug.StaleReads), "stale")]
    [InlineData(nameof(ClientBug.TornBatches), "torn")]
    [InlineData(nameof(ClientBug.EarlyAnswers), "stale")]
    public void Clients_that_cheat_are_noticed_for_what_they_do_and_others_are_not(string bug, string seen) =>
        Assert.Equal(seen, PairSchedule.Run(Enum.Parse<ClientBug>(bug)));

    [Theory, InlineData(nameof(PlantedBugs.PublishBeforeInsertion)), InlineData(nameof(PlantedBugs.SnapshotOfUnpublished))]
    public void An_engine_that_shows_what_is_not_published_is_noticed(string bug) =>
        Assert.Equal("torn", PlantedBugs.Named(bug).Run(HonestClients));

    static string HonestClients() => PairSchedule.Run(ClientBug.None);

    static PairClients Run(ulong seed)
    {
        var random = new SeededRandom(seed);
        var withFault = random.OneIn(4);
        var disk = NewDisk(random);
        if (withFault)
        {
            var kind = random.Pick([FaultKind.LostSync, FaultKind.ShortWrite, FaultKind.NoSpace, FaultKind.InputOutputError]);
            var operations = kind switch
            {
                FaultKind.LostSync => FaultOperations.Sync,
                FaultKind.ShortWrite => FaultOperations.Write,
                _ => FaultOperations.Changes,
            };
            disk.Add(new FaultRule(operations, kind) { Nth = random.Next(20, 200) });
        }

        var clients = new PairClients(seed, Clients, CallsPerClient, onlyDurable: withFault);
        try
        {
            using var store = KeyValueStore.Open(TestStore.Directory, Options(disk));
            clients.Run(store);
        }
        catch (StorePoisonedException) when (withFault)
        {
            // Closing tells of the doubt as well.
        }
        catch (Storage.StorageException) when (withFault)
        {
        }

        disk.Heal();
        using var reopened = KeyValueStore.Open(TestStore.Directory, Options(disk));
        clients.ReadAll(reopened);
        return clients;
    }

    // A disk that takes its time now and then, so that calls overlap on few cores.
    static FaultyFileSystem NewDisk(SeededRandom random)
    {
        var chance = new SeededRandom(random.NextUInt64());
        var gate = new Lock();
        return new FaultyFileSystem(TestStore.AnyDisk())
        {
            BeforeOperation = (operation, _) =>
            {
                if (!FaultOperations.Changes.HasFlag(operation)) return;
                bool isSlow;
                lock (gate) isSlow = chance.OneIn(4);
                if (isSlow) Thread.Sleep(0);
            },
        };
    }

    static KeyValueOptions Options(FaultyFileSystem disk) => TestStore.Small(disk, inline: false) with
    {
        MemTableBytes = 3000,
        TableBytes = 2048,
        TimeProvider = TimeProvider.System,
    };

    static long CountOverlaps(IReadOnlyList<RecordedCall<PairOperation>> history)
    {
        var ordered = history.OrderBy(call => call.Begun).ToArray();
        return ordered.Skip(1).Zip(ordered).LongCount(pair => pair.First.Begun < pair.Second.Returned);
    }

    static string Describe(IReadOnlyList<RecordedCall<PairOperation>> history) =>
        string.Join('\n', history.OrderBy(call => call.Begun).Select(call => $"  {call.Begun}..{call.Returned} {call.Operation}"));
}
