using System.Net.Sockets;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;
using Ashlar.TestKit;

namespace Ashlar.Nbd.Tests.Hostile;

/// <summary>
/// Valid sessions with some bytes changed, cut or doubled. Whatever the server makes of one, it goes on, leaks nothing
/// and disturbs nobody.
/// </summary>
public sealed class MutatedSessionTests
{
    [Theory, Seeds(count: 40)]
    public async Task A_mutated_session_harms_nobody_else(ulong seed)
    {
        var random = new Random((int)seed);
        await using var fixture = new NbdFixture(
            new TestDevice(1 << 20), handshakeTimeout: TimeSpan.FromSeconds(10), transferTimeout: TimeSpan.FromSeconds(10));
        using var bystander = fixture.Open();
        for (var session = 0; session < 5; session++)
        {
            using var client = fixture.Dial();
            try
            {
                client.Send(Mutate(ValidSession(random), random));
                client.Socket.Shutdown(SocketShutdown.Send);
                client.MustBeCutOff();
            }
            catch (SocketException)
            {
                // Hung up while we were still talking.
            }
            bystander.MustStillWork();
        }
        await fixture.Server.StopAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(0, fixture.Leases);
        Assert.DoesNotContain(fixture.Reports, report => report.Contains("Exception", StringComparison.Ordinal));
    }

    static byte[] ValidSession(Random random)
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
        if (random.Next(2) == 0) Option(OptionCode.Go, NbdClient.InfoRequest("disk", InfoCode.BlockSize));
        else Option(OptionCode.ExportName, "disk"u8.ToArray());
        for (var i = 0; i < 20; i++)
        {
            var length = (uint)random.Next(1, 5000);
            var command = (CommandCode)random.Next(8);
            if (command == CommandCode.Disconnect) command = CommandCode.Read;
            var isFlush = command == CommandCode.Flush;
            var header = new byte[RequestHeader.SizeBytes];
            new RequestHeader(CommandFlags.None, command, (ulong)i, isFlush ? 0 : (ulong)random.Next(1 << 19), isFlush ? 0 : length).Write(header);
            bytes.Write(header);
            if (command == CommandCode.Write) bytes.Write(new byte[length]);
        }
        return bytes.ToArray();
    }

    static byte[] Mutate(byte[] session, Random random)
    {
        var mutated = session.ToList();
        for (var change = random.Next(1, 6); change > 0; change--)
        {
            // Half of the changes hit the handshake, which is small beside the payloads.
            var at = random.Next(random.Next(2) == 0 ? Math.Min(200, mutated.Count) : mutated.Count);
            switch (random.Next(5))
            {
                case 0:
                    mutated[at] = (byte)random.Next(256);
                    break;
                case 1:
                    mutated[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    mutated.RemoveRange(at, Math.Min(random.Next(1, 40), mutated.Count - at - 1));
                    break;
                case 3:
                    mutated.InsertRange(at, mutated.GetRange(at, Math.Min(random.Next(1, 40), mutated.Count - at)));
                    break;
                default:
                    for (var i = at; i < Math.Min(at + 4, mutated.Count); i++) mutated[i] = 0xff;
                    break;
            }
        }
        return [.. mutated];
    }
}
