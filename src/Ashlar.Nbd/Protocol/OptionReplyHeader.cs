using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Answer to an option, server to client. LengthBytes of data follow.
//   0                  8        12      16            20
//   +------------------+--------+-------+-------------+
//   | OptionReplyMagic | Option | Reply | LengthBytes |
//   +------------------+--------+-------+-------------+
readonly record struct OptionReplyHeader(OptionCode Option, OptionReplyCode Reply, uint LengthBytes)
{
    public const int SizeBytes = 20;
    const int MagicOffset = 0, OptionOffset = 8, ReplyOffset = 12, LengthOffset = 16;

    public static bool TryRead(ReadOnlySpan<byte> source, out OptionReplyHeader header)
    {
        header = new(
            (OptionCode)BinaryPrimitives.ReadUInt32BigEndian(source[OptionOffset..]),
            (OptionReplyCode)BinaryPrimitives.ReadUInt32BigEndian(source[ReplyOffset..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[LengthOffset..]));
        return BinaryPrimitives.ReadUInt64BigEndian(source[MagicOffset..]) == NbdProtocol.OptionReplyMagic;
    }

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target[MagicOffset..], NbdProtocol.OptionReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(target[OptionOffset..], (uint)Option);
        BinaryPrimitives.WriteUInt32BigEndian(target[ReplyOffset..], (uint)Reply);
        BinaryPrimitives.WriteUInt32BigEndian(target[LengthOffset..], LengthBytes);
    }
}
