using System.Buffers.Binary;

namespace Ashlar.Nvme;

// Host to Controller Data, H2CData, and Controller to Host Data, C2HData (NVMe/TCP Transport 1.0, 3.6.2.10 and 3.6.2.11). The transfer
// tag is that of the R2T which asked for the data; towards hosts it is reserved.
//   0               8     10     12       16       20         24
//   +---------------+-----+------+--------+--------+----------+-------+---------+------+-------+
//   | common header | CID | TTAG | offset | length | reserved | HDGST | padding | data | DDGST |
//   +---------------+-----+------+--------+--------+----------+-------+---------+------+-------+
readonly record struct DataPdu(ushort CommandId, ushort TransferTag, uint DataOffset, uint DataBytes)
{
    public const int HeaderBytes = 24;
    public const int CommandIdOffset = 8, TransferTagOffset = 10, DataOffsetOffset = 12, DataBytesOffset = 16, ReservedOffset = 20;

    public static DataPdu Read(ReadOnlySpan<byte> pdu) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(pdu[CommandIdOffset..]),
        BinaryPrimitives.ReadUInt16LittleEndian(pdu[TransferTagOffset..]),
        BinaryPrimitives.ReadUInt32LittleEndian(pdu[DataOffsetOffset..]),
        BinaryPrimitives.ReadUInt32LittleEndian(pdu[DataBytesOffset..]));

    /// <summary>Where data begin behind a header, for a receiver with an alignment.</summary>
    public static int DataAt(Digests digests, int alignment) =>
        (HeaderBytes + (digests.Header ? PduHeader.DigestBytes : 0) + alignment - 1) / alignment * alignment;

    /// <summary>Writes the header, its digest and the padding up to the data.</summary>
    public void Write(Span<byte> pdu, PduType type, PduFlags flags, Digests digests, int dataAt)
    {
        if (digests.Header) flags |= PduFlags.HeaderDigest;
        if (digests.Data) flags |= PduFlags.DataDigest;
        var length = (uint)dataAt + DataBytes + (digests.Data ? PduHeader.DigestBytes : 0u);
        pdu[..dataAt].Clear();
        new PduHeader(type, flags, HeaderBytes, (byte)dataAt, length).Write(pdu);
        BinaryPrimitives.WriteUInt16LittleEndian(pdu[CommandIdOffset..], CommandId);
        BinaryPrimitives.WriteUInt16LittleEndian(pdu[TransferTagOffset..], TransferTag);
        BinaryPrimitives.WriteUInt32LittleEndian(pdu[DataOffsetOffset..], DataOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(pdu[DataBytesOffset..], DataBytes);
        digests.SealHeader(pdu, HeaderBytes);
    }
}
