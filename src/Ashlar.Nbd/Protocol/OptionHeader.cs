using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Option, client to server. LengthBytes of data follow.
//   0             8        12             16
//   +-------------+--------+--------------+
//   | OptionMagic | Option | LengthBytes  |
//   +-------------+--------+--------------+
readonly record struct OptionHeader(OptionCode Option, uint LengthBytes)
{
    public const int SizeBytes = 16;
    const int MagicOffset = 0, OptionOffset = 8, LengthOffset = 12;

    public static bool TryRead(ReadOnlySpan<byte> source, out OptionHeader header)
    {
        header = new(
            (OptionCode)BinaryPrimitives.ReadUInt32BigEndian(source[OptionOffset..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[LengthOffset..]));
        return BinaryPrimitives.ReadUInt64BigEndian(source[MagicOffset..]) == NbdProtocol.OptionMagic;
    }

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target[MagicOffset..], NbdProtocol.OptionMagic);
        BinaryPrimitives.WriteUInt32BigEndian(target[OptionOffset..], (uint)Option);
        BinaryPrimitives.WriteUInt32BigEndian(target[LengthOffset..], LengthBytes);
    }
}
