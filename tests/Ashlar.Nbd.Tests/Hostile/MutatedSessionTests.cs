using System.Net.Sockets;
using System.Text.Json;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Nbd.Tests.Hostile;

/// <summary>
/// Valid sessions with some bytes changed, cut or doubled. Whatever the server makes of one, it goes on, leaks nothing
/// and disturbs nobody.
/// </summary>
public sealed class MutatedSessionTests(ITestOutputHelper output)
{
    const int Requests = 20, Options = 5;
    const int HandshakeBytes = 200; // Small beside the payloads.

    static readonly int Sessions = TestTier.Choose(300, 8_000);

    [Fact]
    public async Task A_session_that_is_not_mutated_is_answered_to_its_end()
    {
        await using var fixture = NewFixture();
        Play(fixture, ValidSession(new SeededRandom(1)));
        Assert.InRange(fixture.Device.Calls.Count, Requests / 2, int.MaxValue); // BLOCK_STATUS and CACHE call no device.
    }

    [Fact]
    public async Task Mutated_sessions_harm_nobody_else()
    {
        var seed = TestSeeds.First(nameof(Mutated_sessions_harm_nobody_else));
        var random = new SeededRandom(seed);
        await using var fixture = NewFixture();
        using var bystander = fixture.Open();
        var (answered, throughHandshake) = (0, 0);
        for (var session = 0; session < Sessions; session++)
        {
            var before = fixture.Device.Calls.Count;
            Play(fixture, Mutation.Of(ValidSession(random), random, HandshakeBytes));
            var calls = fixture.Device.Calls.Count - before;
            answered += calls;
            if (calls > 0) throughHandshake++;
            bystander.MustStillWork();
        }
        await fixture.Server.StopAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(0, fixture.Leases);
        Assert.DoesNotContain(fixture.Reports, report => report.Contains("Exception", StringComparison.Ordinal));
        Assert.InRange(throughHandshake, Sessions / 5, Sessions);
        Assert.InRange(answered, Sessions, int.MaxValue);
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "mutated sessions",
            protocol = "nbd",
            seed,
            sessions = Sessions,
            messages = Sessions * (Options + Requests),
            throughHandshake,
            answered,
            failures = 0,
        }));
    }

    static NbdFixture NewFixture() =>
        new(new TestDevice(1 << 20), handshakeTimeout: TimeSpan.FromMinutes(1), transferTimeout: TimeSpan.FromMinutes(1));

    static void Play(NbdFixture fixture, byte[] session)
    {
        using var client = fixture.Dial();
        try
        {
            client.Send(session);
            client.Socket.Shutdown(SocketShutdown.Send);
            client.MustBeCutOff();
        }
        catch (SocketException)
        {
            // Hung up while we were still talking.
        }
    }

    static byte[] ValidSession(SeededRandom random)
    {
        using var bytes = new MemoryStream();
        bytes.Write(NbdClient.UInt32((uint)ClientFlags.Known));
        void Option(OptionCode option, params byte[] data)
        {
            var header = new byte[OptionHeader.SizeBytes];
            new OptionHeader(option, (uint)data.Length).Write(header);
            bytes.Write([.. header, .. data]);
        }
        Option(OptionCode.StructuredReply);
        Option(OptionCode.List);
        Option(OptionCode.SetMetaContext, NbdClient.ContextQuery("disk", "base:allocation"));
        Option(OptionCode.Info, NbdClient.InfoRequest("disk", InfoCode.BlockSize, InfoCode.Name));
        if (random.OneIn(2)) Option(OptionCode.Go, NbdClient.InfoRequest("disk", InfoCode.BlockSize));
        else Option(OptionCode.ExportName, "disk"u8.ToArray());
        for (var i = 0; i < Requests; i++)
        {
            var length = (uint)random.Next(1, 5000);
            var command = (CommandCode)random.Next(8);
            if (command == CommandCode.Disconnect) command = CommandCode.Read;
            var isFlush = command == CommandCode.Flush;
            var header = new byte[RequestHeader.SizeBytes];
            new RequestHeader(CommandFlags.None, command, (ulong)i, isFlush ? 0 : (ulong)random.Next(1 << 19), isFlush ? 0 : length)
                .Write(header);
            bytes.Write(header);
            if (command == CommandCode.Write) bytes.Write(new byte[length]);
        }
        return bytes.ToArray();
    }
}
