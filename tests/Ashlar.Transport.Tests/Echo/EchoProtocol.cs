using System.Buffers.Binary;

namespace Ashlar.Transport.Tests.Echo;

/// <summary>The least a protocol can be: a unit is four bytes of length and that many bytes, and its reply is the same.</summary>
static class EchoProtocol
{
    public const int HeaderBytes = sizeof(int);

    /// <summary>Serves units until the client ends or the listener drains. There is no handshake to speak of.</summary>
    public static void Serve(Connection connection, CancellationToken draining)
    {
        connection.HandshakeCompleted();
        ServeUnits(connection);
    }

    /// <summary>Serves units as if all of them were a handshake.</summary>
    public static void ServeHandshake(Connection connection, CancellationToken draining) => ServeUnits(connection);

    public static byte[] UnitOf(ReadOnlySpan<byte> content)
    {
        var unit = new byte[HeaderBytes + content.Length];
        BinaryPrimitives.WriteInt32LittleEndian(unit, content.Length);
        content.CopyTo(unit.AsSpan(HeaderBytes));
        return unit;
    }

    static void ServeUnits(Connection connection)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        while (connection.WaitForData())
        {
            connection.Receive(header);
            var unit = new byte[HeaderBytes + BinaryPrimitives.ReadInt32LittleEndian(header)];
            header.CopyTo(unit);
            connection.Receive(unit.AsSpan(HeaderBytes));
            connection.Send(unit);
        }
    }
}
