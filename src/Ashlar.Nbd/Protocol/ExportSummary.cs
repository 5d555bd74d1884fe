using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Size and flags of an export: the answer to NBD_OPT_EXPORT_NAME, and the payload of NBD_INFO_EXPORT after its code.
//   0           8       10
//   +-----------+-------+
//   | SizeBytes | Flags |
//   +-----------+-------+
readonly record struct ExportSummary(ulong ExportBytes, TransmissionFlags Flags)
{
    public const int SizeBytes = 10;
    const int ExportBytesOffset = 0, FlagsOffset = 8;

    public static ExportSummary Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt64BigEndian(source[ExportBytesOffset..]),
        (TransmissionFlags)BinaryPrimitives.ReadUInt16BigEndian(source[FlagsOffset..]));

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target[ExportBytesOffset..], ExportBytes);
        BinaryPrimitives.WriteUInt16BigEndian(target[FlagsOffset..], (ushort)Flags);
    }
}
