using System.Text.Json;
using Ashlar.Scsi;
using Ashlar.TestKit;
using Ashlar.Transport;
using Ashlar.Transport.Tests.Simulated;
using Xunit.Abstractions;

namespace Ashlar.Iscsi.Tests;

/// <summary>
/// Initiators that stop after any byte, send or take a byte a second, or never read: each is dropped at its deadline, which a simulated
/// clock decides, and holds no more than its share until then.
/// </summary>
public sealed class SlowInitiatorTests(ITestOutputHelper output) : IDisposable
{
    const long MostOfOne = 1 << 20; // Of memory: a batch of replies and a payload, with room to spare.
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    readonly SimulatedTarget target = new();

    TimeSpan Handshake => target.Sessions.Options.HandshakeTimeout;

    TimeSpan Transfer => target.Sessions.Options.TransferTimeout;

    [Fact]
    public void An_initiator_that_stops_after_any_byte_is_dropped_at_its_deadline_unless_it_owes_none()
    {
        var (script, dropped) = (Session(), 0);
        for (var stop = 0; stop <= script.Length; stop++)
        {
            var began = target.Clock.Elapsed;
            var client = new SimulatedClient(target.Clock, script.Bytes) { QuickBytes = stop };
            var end = target.Play(client);
            Assert.True(script.IdlePoints.Contains(stop) == client.HasGivenUp, $"after byte {stop}: {end}");
            if (client.HasGivenUp) continue;

            Assert.NotNull(end);
            if (stop < script.IdlePoints[0]) Assert.Equal(Handshake, client.EndedAt - began);
            else Assert.InRange((client.EndedAt - began)!.Value, Transfer, 2 * Transfer);
            dropped++;
        }

        NothingIsHeld();
        Assert.Equal(script.Length + 1 - script.IdlePoints.Count, dropped);
        Report("stop in the middle", dropped);
    }

    [Fact]
    public void An_initiator_that_sends_a_byte_a_second_from_any_byte_on_is_dropped_before_a_unit_has_taken_twice_its_time()
    {
        var (script, dropped, served) = (Session(), 0, 0);
        for (var slow = 0; slow <= script.Length; slow++)
        {
            var began = target.Clock.Elapsed;
            var client = new SimulatedClient(target.Clock, script.Bytes) { QuickBytes = slow, SendInterval = Second, Closes = true };
            var end = target.Play(client);
            Assert.False(client.HasGivenUp);
            Assert.InRange((client.EndedAt - began)!.Value, TimeSpan.Zero, 2 * (script.IdlePoints.Count + 4) * Transfer);
            if (end is null) served++;
            else dropped++;
            // The last PDU has more than a minute's bytes of data.
            if (slow < script.Length - (2 * Transfer / Second)) Assert.NotNull(end);
        }

        NothingIsHeld();
        Assert.InRange(served, 1, 100); // Slow only in what little was left.
        Report("a byte a second", dropped);
    }

    [Theory]
    [InlineData(128)]
    [InlineData(1)]
    [InlineData(0)]
    public void Ten_thousand_reads_or_pings_of_one_that_takes_little_or_nothing_are_not_answered_into_memory(int blocks)
    {
        var script = InitiatorScript.Open();
        for (var i = 0; i < 10_000; i++)
        {
            if (blocks > 0) script.Command(Initiator.Cdb(0x28, 0, blocks), (uint)blocks * 512);
            else script.Ping(new byte[400]);
        }

        var (most, dropped) = (0L, 0);
        var appetites = new (long, TimeSpan?)[] { (0, null), (1, null), (10_000, null), (0, Second), (10_000, Second) };
        foreach (var (quickTakes, interval) in appetites)
        {
            var (began, calls) = (target.Clock.Elapsed, target.Device.Calls);
            var client = new SimulatedClient(target.Clock, script.Bytes)
            {
                QuickTakes = 400 + quickTakes, // The login.
                TakeInterval = interval,
                Observe = target.Sessions.Observe,
            };
            var before = GC.GetAllocatedBytesForCurrentThread();
            var end = target.Play(client);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before - (4 * client.Taken.Length); // Its own list doubles.

            Assert.Contains("does not read its replies", end, StringComparison.Ordinal);
            Assert.InRange((client.EndedAt - began)!.Value, Transfer, 2 * Transfer);
            Assert.InRange(allocated, long.MinValue, MostOfOne);
            Assert.InRange((target.Device.Calls - calls) * (long)blocks * 512, 0, quickTakes + MostOfOne);
            most = Math.Max(most, allocated);
            dropped++;
        }

        NothingIsHeld();
        Assert.InRange(target.Sessions.MostRentedBytes, 0, MostOfOne);
        Report($"reads of {blocks} blocks never read", dropped, ("allocatedBytes", most), ("rentedBytes", target.Sessions.MostRentedBytes));
    }

    [Fact]
    public void Among_many_that_do_not_read_or_do_not_send_what_they_announced_a_good_initiator_is_served()
    {
        const int good = 1_000, longest = 2048;
        var crowd = TestTier.Choose(100, 500);
        using var small = new SimulatedTarget(new BufferPool(64 << 20));
        var script = InitiatorScript.Open("iqn.2026-11.test:good");
        for (var i = 0; i < good; i++)
            script.Command(Initiator.Cdb(0x2A, 8, 1), 512, writes: true, immediate: new byte[512]).Command([0x35]); // SYNCHRONIZE CACHE

        var served = 0;
        var clients = new List<SimulatedClient>();
        var ends = small.Sessions.PlayNested(
            crowd,
            stall =>
            {
                var name = $"iqn.2026-11.test:slow{clients.Count}";
                var reads = clients.Count % 2 == 0;
                var slow = InitiatorScript.Open(name);
                for (var i = 0; i < 8; i++)
                    slow.Command(Initiator.Cdb(reads ? (byte)0x28 : (byte)0x2A, 0, longest), longest * 512, writes: !reads);
                // Whoever waits for memory owes nothing: it stops in the middle of a PDU besides.
                if (!reads) slow.Command(Initiator.Cdb(0x2A, 0, 1), 512, writes: true, immediate: new byte[512]);
                clients.Add(new SimulatedClient(small.Clock, slow.Bytes)
                {
                    QuickBytes = slow.Length - 1,
                    QuickTakes = reads ? 400 : long.MaxValue,
                    OnStall = stall,
                    Observe = small.Sessions.Observe,
                });
                return clients[^1];
            },
            () =>
            {
                Assert.Equal(TimeSpan.Zero, small.Clock.Elapsed); // Nobody had to be dropped for it.
                var client = new SimulatedClient(small.Clock, script.Bytes) { Closes = true };
                Assert.Null(small.Sessions.Play(client));
                served = InitiatorScript.Read(client.Taken).Count(
                    pdu => pdu.Opcode == Opcode.ScsiResponse && ScsiResponsePdu.Read(pdu.Header).Status == ScsiStatus.Good);
            });

        Assert.Equal(2 * good, served);
        Assert.Equal(crowd, ends.Count);
        Assert.All(clients, client => Assert.InRange(client.EndedAt!.Value, Transfer, 2 * Transfer));
        // Beyond the budget there is only what everybody gets in any case.
        Assert.InRange(
            small.Sessions.MostRentedBytes, 1, small.Buffers.BudgetBytes + (2L * crowd * (BufferShare.AlwaysGrantedBytes + 4096)));
        Assert.Equal(0, small.Buffers.RentedBytes);
        Report("crowd", crowd, ("goodRequests", served), ("rentedBytes", small.Sessions.MostRentedBytes));
    }

    public void Dispose() => target.Dispose();

    // Of everything something; in the end data that a write has to be asked for, which the target gives the first tag there is.
    static InitiatorScript Session() => InitiatorScript.Open()
        .Command(Initiator.Cdb(0x28, 0, 1), 512)
        .Ping(new byte[30])
        .Text("SendTargets=\0")
        .Command(Initiator.Cdb(0x2A, 8, 1), 512, writes: true, immediate: new byte[512])
        .Command(Initiator.Cdb(0x2A, 8, 2), 1024, writes: true, isFinal: false)
        .DataOut(uint.MaxValue, 0, 0, new byte[1024], isLast: true)
        .Command(Initiator.Cdb(0x2A, 8, 1), 512, writes: true)
        .DataOut(1, 0, 0, new byte[512], isLast: true);

    void NothingIsHeld()
    {
        Assert.Equal(0, target.Buffers.RentedBytes);
        Assert.Equal(0, target.Leases);
        var script = InitiatorScript.Open().Command(Initiator.Cdb(0x28, 0, 1), 512);
        var client = new SimulatedClient(target.Clock, script.Bytes) { Closes = true };
        Assert.Null(target.Play(client));
    }

    void Report(string kind, int dropped, params (string Name, long Value)[] more)
    {
        var record = new Dictionary<string, object> { ["line"] = "slow clients (iscsi)", ["kind"] = kind, ["dropped"] = dropped };
        foreach (var (name, value) in more) record[name] = value;
        record["failures"] = 0;
        output.WriteLine(JsonSerializer.Serialize(record));
    }
}
