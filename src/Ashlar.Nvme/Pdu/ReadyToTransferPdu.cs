using System.Buffers.Binary;

namespace Ashlar.Nvme;

// Ready to Transfer, R2T (NVMe/TCP Transport 1.0, 3.6.2.12): asks for data of a command.
//   0               8     10     12       16       20         24
//   +---------------+-----+------+--------+--------+----------+-------+
//   | common header | CID | TTAG | offset | length | reserved | HDGST |
//   +---------------+-----+------+--------+--------+----------+-------+
readonly record struct ReadyToTransferPdu(ushort CommandId, ushort TransferTag, uint DataOffset, uint DataBytes)
{
    public const int HeaderBytes = 24;
    public const int MaxBytes = HeaderBytes + PduHeader.DigestBytes;
    const int CommandIdOffset = 8, TransferTagOffset = 10, DataOffsetOffset = 12, DataBytesOffset = 16, ReservedOffset = 20;

    public static ReadyToTransferPdu Read(ReadOnlySpan<byte> pdu) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(pdu[CommandIdOffset..]),
        BinaryPrimitives.ReadUInt16LittleEndian(pdu[TransferTagOffset..]),
        BinaryPrimitives.ReadUInt32LittleEndian(pdu[DataOffsetOffset..]),
        BinaryPrimitives.ReadUInt32LittleEndian(pdu[DataBytesOffset..]));

    /// <summary>Writes the PDU with its digest.</summary>
    /// <returns>Its length.</returns>
    public int Write(Span<byte> pdu, Digests digests)
    {
        var length = HeaderBytes + (digests.Header ? PduHeader.DigestBytes : 0);
        var flags = digests.Header ? PduFlags.HeaderDigest : PduFlags.None;
        new PduHeader(PduType.ReadyToTransfer, flags, HeaderBytes, 0, (uint)length).Write(pdu);
        BinaryPrimitives.WriteUInt16LittleEndian(pdu[CommandIdOffset..], CommandId);
        BinaryPrimitives.WriteUInt16LittleEndian(pdu[TransferTagOffset..], TransferTag);
        BinaryPrimitives.WriteUInt32LittleEndian(pdu[DataOffsetOffset..], DataOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(pdu[DataBytesOffset..], DataBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(pdu[ReservedOffset..], 0);
        return digests.SealHeader(pdu, HeaderBytes);
    }
}
