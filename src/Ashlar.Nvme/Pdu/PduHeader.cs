using System.Buffers.Binary;

namespace Ashlar.Nvme;

// Common header of every PDU, little-endian (NVMe/TCP Transport 1.0, 3.6.1). PLEN counts everything, from the first byte of this
// header to the last of the data digest; PDO is where data begin, and is 0 or of no meaning where there are none.
//   0      1       2      3     4        8
//   +------+-------+------+-----+--------+
//   | Type | Flags | HLEN | PDO | PLEN   |
//   +------+-------+------+-----+--------+
readonly record struct PduHeader(PduType Type, PduFlags Flags, byte HeaderBytes, byte DataOffset, uint LengthBytes)
{
    public const int SizeBytes = 8;

    /// <summary>The longest header of all: that of the PDUs that initialize a connection.</summary>
    public const int MaxHeaderBytes = 128;

    public const int DigestBytes = 4;

    public const int TypeOffset = 0, FlagsOffset = 1, HeaderLengthOffset = 2, DataOffsetOffset = 3, LengthOffset = 4;

    public static PduHeader Read(ReadOnlySpan<byte> source) => new(
        (PduType)source[TypeOffset],
        (PduFlags)source[FlagsOffset],
        source[HeaderLengthOffset],
        source[DataOffsetOffset],
        BinaryPrimitives.ReadUInt32LittleEndian(source[LengthOffset..]));

    public void Write(Span<byte> target)
    {
        target[TypeOffset] = (byte)Type;
        target[FlagsOffset] = (byte)Flags;
        target[HeaderLengthOffset] = HeaderBytes;
        target[DataOffsetOffset] = DataOffset;
        BinaryPrimitives.WriteUInt32LittleEndian(target[LengthOffset..], LengthBytes);
    }
}
