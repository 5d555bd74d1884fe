using System.Buffers.Binary;
using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;
using Ashlar.Transport;

namespace Ashlar.Nbd.Negotiation;

/// <summary>
/// Carries the haggling over a connection, within bounds: each option has the handshake's time limit to itself, and here the
/// number of options and of their bytes is limited, so that nobody can keep the server busy without choosing an export.
/// </summary>
static class Handshake
{
    /// <summary>Enough to list twenty thousand exports, about each of which clients ask two or three options.</summary>
    public const int MaxOptions = 1 << 16;

    /// <summary>The longest data of one option that are looked at; longer ones are skipped and refused.</summary>
    public const int MaxOptionDataBytes = 64 << 10;

    /// <summary>Bytes of option data in one handshake.</summary>
    public const int MaxHagglingBytes = 64 << 20;

    /// <summary>Negotiates, and completes the connection's handshake; null when the client left or was refused.</summary>
    /// <exception cref="ConnectionException">The connection broke, or the client does not speak the protocol.</exception>
    public static NegotiatedSession? Run(Connection connection, INbdExports exports, NbdTls? tls, CancellationToken draining)
    {
        if (!TryGreet(connection, out var clientFlags)) return null;
        var replies = new OptionReplyWriter();
        var haggling = new OptionHaggling(exports, ClientOf(connection), clientFlags, replies, SecurityOf(tls));
        long bytesLeft = MaxHagglingBytes;
        Span<byte> headerBytes = stackalloc byte[OptionHeader.SizeBytes];
        for (var options = 0; options < MaxOptions; options++)
        {
            if (!connection.WaitForData()) return null;
            connection.Receive(headerBytes);
            // Lists of thousands of exports take minutes, but no client falls silent between two options.
            connection.HandshakeContinues();
            if (!OptionHeader.TryRead(headerBytes, out var header)) throw Violation(connection, "wrong magic number of an option");
            if (header.LengthBytes > bytesLeft) throw Violation(connection, "too much data in options");
            bytesLeft -= header.LengthBytes;

            replies.Clear();
            var step = Answer(connection, haggling, header, draining);
            try
            {
                // Order: its place is its own before the client hears that it is in.
                if (step == HagglingStep.Transmission) connection.HandshakeCompleted();
                connection.Send(replies.Written);
            }
            catch
            {
                haggling.Session?.Dispose();
                throw;
            }
            if (step == HagglingStep.Close) return null;
            if (step == HagglingStep.Tls)
            {
                connection.StartTls(tls!.Options);
                // Whatever was agreed in clear may have been somebody else's words (doc/proto.md): it is as if nothing had been said.
                haggling = new OptionHaggling(exports, ClientOf(connection), clientFlags, replies, HagglingSecurity.Secured);
            }
            if (step == HagglingStep.Transmission) return haggling.Session;
        }
        throw Violation(connection, "too many options");
    }

    static HagglingSecurity SecurityOf(NbdTls? tls) =>
        tls is null ? HagglingSecurity.Clear : tls.IsRequired ? HagglingSecurity.Required : HagglingSecurity.Offered;

    // NBD clients have no names: they are known by where they come from.
    static ClientIdentity ClientOf(Connection connection)
    {
        var address = $"{connection.RemoteEndPoint}";
        return new(ClientProtocol.Nbd, address, address);
    }

    static bool TryGreet(Connection connection, out ClientFlags clientFlags)
    {
        Span<byte> greeting = stackalloc byte[Greeting.SizeBytes];
        new Greeting(HandshakeFlags.FixedNewstyle | HandshakeFlags.NoZeroes).Write(greeting);
        connection.Send(greeting);
        clientFlags = ClientFlags.None;
        if (!connection.WaitForData()) return false;
        Span<byte> answer = stackalloc byte[sizeof(uint)];
        connection.Receive(answer);
        clientFlags = (ClientFlags)BinaryPrimitives.ReadUInt32BigEndian(answer);
        if ((clientFlags & ~ClientFlags.Known) != ClientFlags.None) throw Violation(connection, "unknown client flags");
        return true;
    }

    static HagglingStep Answer(Connection connection, OptionHaggling haggling, OptionHeader header, CancellationToken draining)
    {
        if (header.LengthBytes > MaxOptionDataBytes)
        {
            connection.Skip(header.LengthBytes);
            if (header.Option == OptionCode.ExportName) return HagglingStep.Close; // It has no error replies.
            haggling.RefuseTooBig(header.Option);
            return HagglingStep.Continue;
        }
        var data = header.LengthBytes == 0 ? [] : new byte[header.LengthBytes];
        connection.Receive(data);
        if (!draining.IsCancellationRequested) return haggling.Answer(header.Option, data);
        if (header.Option != OptionCode.ExportName) haggling.RefuseShutdown(header.Option);
        return HagglingStep.Close;
    }

    static ConnectionException Violation(Connection connection, string what) =>
        new($"connection {connection.Id} from {connection.RemoteEndPoint}: not the NBD protocol: {what}");
}
