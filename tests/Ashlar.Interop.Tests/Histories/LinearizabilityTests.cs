using System.Text.Json;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Interop.Tests.Server;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Histories;

/// <summary>
/// Clients of both protocols read, write, zero and compare-and-write the same few blocks at a time: for each block there is an order of
/// the calls that explains every answer.
/// </summary>
public sealed class LinearizabilityTests(ITestOutputHelper output)
{
    const int Clients = 8, CallsEach = 64;

    static readonly int Histories = TestTier.Choose(20, 200);

    [FactIfTool(NbdClient.Library, IscsiClient.Library)]
    public void Blocks_are_linearizable_over_both_protocols_at_a_time()
    {
        var seed = TestSeeds.First(nameof(Blocks_are_linearizable_over_both_protocols_at_a_time));
        using var directory = TemporaryDirectory.OnDisk();
        using var server = Start(directory);
        var (histories, calls, overlaps, compared, refused, unknown) = (0, 0, 0L, 0, 0, 0);
        for (var round = 0; round < Histories; round++)
        {
            foreach (var history in Record(server, seed, round, isCaching: false))
            {
                var verdict = BlockCall.Check(history);
                Assert.True(verdict != Linearizability.No, $"ASHLAR_SEED={seed}, round {round}:\n{Describe(history)}");
                histories++;
                if (verdict == Linearizability.Unknown) unknown++;
                calls += history.Count;
                overlaps += CountOverlaps(history);
                compared += history.Count(call => call.Operation is { Kind: BlockCallKind.CompareAndWrite, IsDone: true });
                refused += history.Count(call => call.Operation is { Kind: BlockCallKind.CompareAndWrite, IsDone: false });
            }
        }
        server.Stop();
        Assert.Equal(Histories * Clients * CallsEach, calls);
        Assert.InRange(overlaps, Histories, long.MaxValue);
        Assert.InRange(compared, Histories, int.MaxValue);
        Assert.InRange(refused, Histories, int.MaxValue);
        Assert.InRange(unknown, 0, histories / 200);
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "block histories",
            seed,
            rounds = Histories,
            histories,
            calls,
            overlaps,
            compared,
            refused,
            unknown,
            failures = 0,
        }));
    }

    [FactIfTool(NbdClient.Library, IscsiClient.Library)]
    public void A_client_that_answers_reads_from_its_memory_is_noticed()
    {
        using var directory = TemporaryDirectory.OnDisk();
        using var server = Start(directory);
        Assert.Contains(Record(server, seed: 1, round: 0, isCaching: true), history => BlockCall.Check(history) == Linearizability.No);
    }

    static AshlarProcess Start(TemporaryDirectory directory)
    {
        var server = new AshlarProcess(directory["data"], "256MiB");
        server.Start();
        server.CreateVolume("vm1", "128MiB");
        return server;
    }

    static IReadOnlyList<IReadOnlyList<RecordedCall<BlockCall>>> Record(AshlarProcess server, ulong seed, int round, bool isCaching)
    {
        // Nobody has written here before. Three blocks share a 4 KiB unit of checksums, the last lies in another part of the map.
        var start = (long)round * (64 << 10);
        long[] offsets = [start, start + RegisterClient.BlockBytes, start + (7 * RegisterClient.BlockBytes), start + (64 << 20)];
        var connections = Enumerable.Range(0, Clients)
            .Select(number => number % 2 == 0 ? server.ConnectNbd("vm1") : server.ConnectIscsi("vm1", number)).ToArray();
        try
        {
            var clients = connections.Select((connection, number) => new RegisterClient(
                number, connection, offsets, SeededRandom.For(seed, $"round {round}, client {number}"))
            { IsCaching = isCaching }).ToArray();
            using var begin = new Barrier(Clients);
            var failures = new Exception?[Clients];
            var threads = clients.Select((client, number) => new Thread(() =>
            {
                begin.SignalAndWait();
                try
                {
                    client.Work(CallsEach);
                }
                catch (Exception failure)
                {
                    failures[number] = failure;
                }
            })).ToArray();
            foreach (var thread in threads) thread.Start();
            foreach (var thread in threads) Assert.True(thread.Join(TimeSpan.FromMinutes(2)), "a client hangs");
            Assert.All(failures, Assert.Null);
            return [.. Enumerable.Range(0, offsets.Length)
                .Select(register => clients.SelectMany(client => client.Calls[register]).ToArray())];
        }
        finally
        {
            foreach (var connection in connections) connection.Dispose();
        }
    }

    static long CountOverlaps(IReadOnlyList<RecordedCall<BlockCall>> history)
    {
        var ordered = history.OrderBy(call => call.Begun).ToArray();
        return ordered.Skip(1).Zip(ordered).LongCount(pair => pair.First.Begun < pair.Second.Returned);
    }

    static string Describe(IEnumerable<RecordedCall<BlockCall>> history) =>
        string.Join('\n', history.OrderBy(call => call.Begun).Select(call => $"{call.Begun}..{call.Returned} {call.Operation}"));
}
