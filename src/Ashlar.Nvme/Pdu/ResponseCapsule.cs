using System.Buffers.Binary;

namespace Ashlar.Nvme;

// Response Capsule, CapsuleResp (NVMe/TCP Transport 1.0, 3.6.2.9): a completion queue entry. The phase bit, bit 0 of the status, is
// not used over fabrics.
//   0               8              16     18    20    22       24
//   +---------------+--------------+------+-----+-----+--------+--------+
//   | common header | result       | SQHD | SQID| CID | status | HDGST  |
//   +---------------+--------------+------+-----+-----+--------+--------+
readonly record struct ResponseCapsule(ulong Result, ushort QueueHead, ushort CommandId, NvmeStatus Status)
{
    public const int HeaderBytes = 24;
    public const int MaxBytes = HeaderBytes + PduHeader.DigestBytes;
    const int ResultOffset = 8, QueueHeadOffset = 16, QueueIdOffset = 18, CommandIdOffset = 20, StatusOffset = 22;

    public static ResponseCapsule Read(ReadOnlySpan<byte> pdu) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(pdu[ResultOffset..]),
        BinaryPrimitives.ReadUInt16LittleEndian(pdu[QueueHeadOffset..]),
        BinaryPrimitives.ReadUInt16LittleEndian(pdu[CommandIdOffset..]),
        (NvmeStatus)(BinaryPrimitives.ReadUInt16LittleEndian(pdu[StatusOffset..]) >> 1));

    /// <summary>Writes the PDU with its digest.</summary>
    /// <returns>Its length.</returns>
    public int Write(Span<byte> pdu, Digests digests)
    {
        var length = HeaderBytes + (digests.Header ? PduHeader.DigestBytes : 0);
        var flags = digests.Header ? PduFlags.HeaderDigest : PduFlags.None;
        new PduHeader(PduType.ResponseCapsule, flags, HeaderBytes, 0, (uint)length).Write(pdu);
        BinaryPrimitives.WriteUInt64LittleEndian(pdu[ResultOffset..], Result);
        BinaryPrimitives.WriteUInt16LittleEndian(pdu[QueueHeadOffset..], QueueHead);
        BinaryPrimitives.WriteUInt16LittleEndian(pdu[QueueIdOffset..], 0); // Reserved over fabrics: a connection is one queue.
        BinaryPrimitives.WriteUInt16LittleEndian(pdu[CommandIdOffset..], CommandId);
        BinaryPrimitives.WriteUInt16LittleEndian(pdu[StatusOffset..], (ushort)((ushort)Status << 1));
        return digests.SealHeader(pdu, HeaderBytes);
    }
}
