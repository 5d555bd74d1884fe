using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Every call takes effect at one moment between its beginning and its end: puts, deletes, batches over two keys, gets,
/// snapshots and scans of eight clients, with memtables, tables and merges changing under them.
/// </summary>
public sealed class LinearizabilityTests(ITestOutputHelper output)
{
    const int Clients = 8, CallsPerClient = 64;

    static int Count => Environment.GetEnvironmentVariable("ASHLAR_HISTORIES") is { Length: > 0 } text ? int.Parse(text) : 200;

    [Fact]
    public void Concurrent_histories_are_linearizable()
    {
        var first = TestSeeds.First(nameof(Concurrent_histories_are_linearizable));
        long calls = 0, unknown = 0;
        for (var seed = first; seed < first + (ulong)Count; seed++)
        {
            var clients = Run(seed, ClientBug.None);
            foreach (var (index, history) in clients.Histories.Index())
            {
                calls += history.Count;
                var verdict = PairOperation.NewChecker().Check(history);
                Assert.True(verdict != Linearizability.No, $"Seed {seed}, pair {index}: no order explains\n{Describe(history)}");
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
            unknown,
            failures = 0,
        }));
        Assert.True(unknown * 200 <= Count * 4, $"{unknown} histories are undecided.");
    }

    [Theory, InlineData("StaleReads"), InlineData("TornBatches"), InlineData("EarlyAnswers")]
    public void Clients_that_cheat_are_noticed(string bug)
    {
        for (var seed = 1UL; seed <= 50; seed++)
        {
            var clients = Run(seed, Enum.Parse<ClientBug>(bug));
            if (clients.Histories.Any(history => PairOperation.NewChecker().Check(history) == Linearizability.No)) return;
        }

        Assert.Fail($"{bug} went unnoticed.");
    }

    [Theory, InlineData(nameof(PlantedBugs.PublishBeforeInsertion)), InlineData(nameof(PlantedBugs.SnapshotOfUnpublished))]
    public void An_engine_that_shows_what_is_not_published_is_noticed(string bug)
    {
        var noticed = PlantedBugs.Named(bug).Run(FirstImpossibleHistory);
        Assert.True(noticed is not null, $"{bug} went unnoticed.");
        output.WriteLine($"noticed in history {noticed}");
    }

    static ulong? FirstImpossibleHistory()
    {
        for (var seed = 1UL; seed <= 200; seed++)
        {
            var clients = Run(seed, ClientBug.None, mayFail: false);
            if (clients.Histories.Any(history => PairOperation.NewChecker().Check(history) == Linearizability.No)) return seed;
        }

        return null;
    }

    static PairClients Run(ulong seed, ClientBug bug, bool mayFail = true)
    {
        var random = new SeededRandom(seed);
        var withFault = bug == ClientBug.None && mayFail && random.OneIn(4);
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

        var clients = new PairClients(seed, Clients, CallsPerClient, onlyDurable: withFault, bug);
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
        return new FaultyFileSystem(TestStore.NewDisk())
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

    static string Describe(IReadOnlyList<RecordedCall<PairOperation>> history) =>
        string.Join('\n', history.OrderBy(call => call.Begun).Select(call => $"  {call.Begun}..{call.Returned} {call.Operation}"));
}
