using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Greeting, server to client. The client answers with 32 bits of ClientFlags.
//   0           8          16       18
//   +-----------+-----------+-------+
//   | InitMagic |OptionMagic| Flags |
//   +-----------+-----------+-------+
readonly record struct Greeting(HandshakeFlags Flags)
{
    public const int SizeBytes = 18;
    const int InitMagicOffset = 0, OptionMagicOffset = 8, FlagsOffset = 16;

    public static bool TryRead(ReadOnlySpan<byte> source, out Greeting greeting)
    {
        greeting = new((HandshakeFlags)BinaryPrimitives.ReadUInt16BigEndian(source[FlagsOffset..]));
        return BinaryPrimitives.ReadUInt64BigEndian(source[InitMagicOffset..]) == NbdProtocol.InitMagic
            && BinaryPrimitives.ReadUInt64BigEndian(source[OptionMagicOffset..]) == NbdProtocol.OptionMagic;
    }

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target[InitMagicOffset..], NbdProtocol.InitMagic);
        BinaryPrimitives.WriteUInt64BigEndian(target[OptionMagicOffset..], NbdProtocol.OptionMagic);
        BinaryPrimitives.WriteUInt16BigEndian(target[FlagsOffset..], (ushort)Flags);
    }
}
