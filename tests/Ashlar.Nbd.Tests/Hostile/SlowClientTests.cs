using System.Text.Json;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Ashlar.Transport;
using Ashlar.Transport.Tests.Simulated;
using Xunit.Abstractions;

namespace Ashlar.Nbd.Tests.Hostile;

/// <summary>
/// Clients that stop after any byte, send or take a byte a second, or never read: each is dropped at its deadline, which a simulated clock
/// decides, and holds no more than its share until then.
/// </summary>
public sealed class SlowClientTests(ITestOutputHelper output) : IDisposable
{
    const int Payload = 300;
    const long MostOfOne = 1 << 20; // Of memory: a batch of replies and a payload, with room to spare.
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    readonly SimulatedServer server = new();

    TimeSpan Handshake => server.Sessions.Options.HandshakeTimeout;

    TimeSpan Transfer => server.Sessions.Options.TransferTimeout;

    [Fact]
    public void A_client_that_stops_after_any_byte_is_dropped_at_its_deadline_unless_it_owes_none()
    {
        var (script, dropped) = (Session(), 0);
        for (var stop = 0; stop <= script.Length; stop++)
        {
            var began = server.Clock.Elapsed;
            var client = new SimulatedClient(server.Clock, script.Bytes) { QuickBytes = stop };
            var end = server.Sessions.Play(client);
            Assert.Equal(script.IdlePoints.Contains(stop), client.HasGivenUp);
            if (client.HasGivenUp) continue;

            var inHandshake = stop < script.IdlePoints[0];
            var reason = inHandshake ? "the handshake took too long" : "too slow in the middle of a unit";
            Assert.Contains(reason, end, StringComparison.Ordinal);
            Assert.Equal(inHandshake ? Handshake : Transfer, client.EndedAt - began);
            dropped++;
        }

        NothingIsHeld();
        Assert.Equal(script.Length + 1 - script.IdlePoints.Count, dropped);
        Report("stop in the middle", dropped);
    }

    [Fact]
    public void A_client_that_sends_a_byte_a_second_from_any_byte_on_is_dropped_before_a_unit_has_taken_twice_its_time()
    {
        var (script, dropped, served) = (Session(), 0, 0);
        var units = script.IdlePoints.Count + 4;
        for (var slow = 0; slow <= script.Length; slow++)
        {
            var began = server.Clock.Elapsed;
            var client = new SimulatedClient(server.Clock, script.Bytes) { QuickBytes = slow, SendInterval = Second, Closes = true };
            var end = server.Sessions.Play(client);
            Assert.False(client.HasGivenUp);
            Assert.InRange((client.EndedAt - began)!.Value, TimeSpan.Zero, 2 * units * Transfer);
            if (end is null) served++;
            else dropped++;
            // A payload of 300 bytes takes five minutes.
            if (slow < script.IdlePoints[^1] - (2 * Transfer / Second)) Assert.NotNull(end);
        }

        NothingIsHeld();
        Assert.InRange(served, 1, 100); // Slow only in what little was left.
        Report("a byte a second", dropped);
    }

    [Theory]
    [InlineData(nameof(CommandCode.Read), 64 << 10, true)]
    [InlineData(nameof(CommandCode.Read), 64 << 10, false)]
    [InlineData(nameof(CommandCode.Read), 512, true)]
    [InlineData(nameof(CommandCode.Read), 512, false)]
    [InlineData(nameof(CommandCode.BlockStatus), 4096, true)]
    [InlineData(nameof(CommandCode.Flush), 0, false)]
    [InlineData(nameof(CommandCode.Read), uint.MaxValue, true)] // An error.
    public void Ten_thousand_requests_of_one_that_takes_little_or_nothing_are_not_answered_into_memory(
        string name, uint length, bool structured)
    {
        var command = Enum.Parse<CommandCode>(name);
        var script = NbdScript.Open(structured);
        for (var i = 0; i < 10_000; i++) script.Request(command, 0, length);
        var most = 0L;
        var dropped = 0;
        foreach (var (quickTakes, interval) in Appetites())
        {
            var (began, calls) = (server.Clock.Elapsed, server.Device.Calls.Count);
            var client = new SimulatedClient(server.Clock, script.Bytes)
            {
                QuickTakes = 300 + quickTakes, // The handshake.
                TakeInterval = interval,
                Observe = server.Sessions.Observe,
            };
            var before = GC.GetAllocatedBytesForCurrentThread();
            var end = server.Sessions.Play(client);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before - (4 * client.Taken.Length); // Its own list doubles.

            // One that takes each short reply in time may go on.
            if (interval is null || command == CommandCode.Read)
            {
                Assert.Contains("does not read its replies", end, StringComparison.Ordinal);
                Assert.InRange((client.EndedAt - began)!.Value, Transfer, 2 * Transfer);
                dropped++;
            }
            Assert.InRange(allocated, long.MinValue, MostOfOne);
            Assert.InRange((server.Device.Calls.Count - calls) * (long)Math.Min(length, 1 << 20), 0, quickTakes + MostOfOne);
            most = Math.Max(most, allocated);
        }

        NothingIsHeld();
        Assert.InRange(dropped, 3, 6);
        Assert.InRange(server.Sessions.MostRentedBytes, 0, MostOfOne);
        Report($"{command} of {length} never read", dropped, ("allocatedBytes", most), ("rentedBytes", server.Sessions.MostRentedBytes));
    }

    [Theory]
    [InlineData(64 << 10)]
    [InlineData(32 << 20)]
    public void Among_many_that_do_not_read_or_do_not_send_what_they_announced_a_good_client_is_served(uint length)
    {
        const int good = 1_000;
        var crowd = TestTier.Choose(100, 500);
        using var small = new SimulatedServer(new BufferPool(64 << 20));
        var reads = NbdScript.Open(structured: false);
        for (var i = 0; i < 100; i++) reads.Request(CommandCode.Read, 0, length);
        var write = NbdScript.Open(structured: false).Request(CommandCode.Write, 0, length, payloadBytes: 1);
        var script = NbdScript.Open(structured: false);
        for (var i = 0; i < good; i++) script.Request(CommandCode.Write, 4096, 512, payloadBytes: 512).Request(CommandCode.Flush, 0, 0);

        var (began, served) = (TimeSpan.MaxValue, 0);
        var left = crowd;
        var clients = new List<SimulatedClient>();
        var ends = small.Sessions.PlayNested(
            crowd,
            stall =>
            {
                var reads1 = left-- % 2 == 0;
                clients.Add(new SimulatedClient(small.Clock, reads1 ? reads.Bytes : write.Bytes)
                {
                    QuickTakes = reads1 ? 300 : long.MaxValue,
                    OnStall = stall,
                    Observe = small.Sessions.Observe,
                });
                return clients[^1];
            },
            () =>
            {
                began = small.Clock.Elapsed;
                var client = new SimulatedClient(small.Clock, script.Bytes) { Closes = true };
                Assert.Null(small.Sessions.Play(client));
                var errors = NbdScript.ErrorsOf(NbdScript.TakeAnswers(client.Taken, []));
                Assert.All(errors, error => Assert.Equal(NbdError.None, error));
                served = errors.Count;
            });

        Assert.Equal(2 * good, served);
        Assert.Equal(TimeSpan.Zero, began); // Nobody had to be dropped for it.
        Assert.Equal(crowd, ends.Count(end => end is not null));
        Assert.All(clients, client => Assert.InRange(client.EndedAt!.Value, Transfer, 2 * Transfer));
        // Beyond the budget there is only what everybody gets in any case.
        Assert.InRange(
            small.Sessions.MostRentedBytes, 1, small.Buffers.BudgetBytes + (2L * crowd * (BufferShare.AlwaysGrantedBytes + 4096)));
        Assert.Equal(0, small.Buffers.RentedBytes);
        Report($"crowd at {length}", crowd, ("goodRequests", served), ("rentedBytes", small.Sessions.MostRentedBytes));
    }

    [Fact]
    public void A_clock_that_is_set_or_stopped_neither_drops_anybody_sooner_nor_spares_him()
    {
        var (script, random, cases, jumps) = (Session(), new SeededRandom(1), 0, 0);
        for (var stop = 0; stop <= script.Length; stop += 11)
        {
            if (script.IdlePoints.Contains(stop)) continue;
            var began = server.Clock.Elapsed;
            var client = new SimulatedClient(server.Clock, script.Bytes)
            {
                QuickBytes = stop,
                Observe = () =>
                {
                    jumps++;
                    server.Clock.JumpWallClock((random.OneIn(2) ? 1 : -1) * (random.OneIn(2) ? Second * 3600 : TimeSpan.FromDays(365)));
                    server.Clock.FreezeWallClock(random.OneIn(3));
                },
            };
            Assert.NotNull(server.Sessions.Play(client));
            Assert.Equal(stop < script.IdlePoints[0] ? Handshake : Transfer, client.EndedAt - began);
            cases++;
        }

        NothingIsHeld();
        Assert.InRange(jumps, cases, int.MaxValue);
        output.WriteLine(JsonSerializer.Serialize(new { line = "clock jumps (deadlines)", cases, jumps, failures = 0 }));
    }

    public void Dispose() => server.Dispose();

    // Of everything something; the last request has a payload that is taken, the one before it one that is refused.
    static NbdScript Session() => new NbdScript().Greet()
        .Option(OptionCode.List)
        .Option(OptionCode.Info, NbdClient.InfoRequest("disk", InfoCode.BlockSize))
        .Raw(NbdScript.Open().Bytes.AsSpan(sizeof(uint)))
        .BeginRequests()
        .Request(CommandCode.Read, 0, 512)
        .Request(CommandCode.BlockStatus, 0, 4096)
        .Request(CommandCode.Trim, 0, 4096)
        .Request(CommandCode.Flush, 0, 0)
        .Request(CommandCode.Write, 1UL << 40, Payload, Payload)
        .Request(CommandCode.Write, 0, Payload, Payload);

    static IEnumerable<(long QuickTakes, TimeSpan? Interval)> Appetites()
    {
        foreach (var quickTakes in new long[] { 0, 1, 10_000 })
        {
            yield return (quickTakes, null);
            yield return (quickTakes, Second);
        }
    }

    void NothingIsHeld()
    {
        Assert.Equal(0, server.Buffers.RentedBytes);
        Assert.Equal(0, server.Leases);
        var client = new SimulatedClient(server.Clock, NbdScript.Open(false).Request(CommandCode.Read, 0, 512).Bytes) { Closes = true };
        Assert.Null(server.Sessions.Play(client));
    }

    void Report(string kind, int dropped, params (string Name, long Value)[] more)
    {
        var record = new Dictionary<string, object> { ["line"] = "slow clients (nbd)", ["kind"] = kind, ["dropped"] = dropped };
        foreach (var (name, value) in more) record[name] = value;
        record["failures"] = 0;
        output.WriteLine(JsonSerializer.Serialize(record));
    }
}
