using System.Buffers.Binary;

namespace Ashlar.Nvme;

// Host and Controller to ... Termination, H2CTermReq and C2HTermReq (NVMe/TCP Transport 1.0, 3.6.2.7): the sender ends the connection,
// and shows the header of the PDU for which it does. Without digests, whatever was agreed on.
//   0               8     10     14         24
//   +---------------+-----+------+----------+--------------------------+
//   | common header | FES | FEI  | reserved | header of the PDU        |
//   +---------------+-----+------+----------+--------------------------+
readonly record struct TerminationPdu(FatalStatus Status, uint Information)
{
    public const int HeaderBytes = 24;
    public const int MaxBytes = HeaderBytes + PduFrame.MaxTerminationDataBytes;
    const int StatusOffset = 8, InformationOffset = 10;

    public static TerminationPdu Read(ReadOnlySpan<byte> pdu) => new(
        (FatalStatus)BinaryPrimitives.ReadUInt16LittleEndian(pdu[StatusOffset..]),
        BinaryPrimitives.ReadUInt32LittleEndian(pdu[InformationOffset..]));

    /// <summary>Writes the PDU.</summary>
    /// <returns>Its length.</returns>
    public int Write(Span<byte> pdu, PduType type, ReadOnlySpan<byte> cause)
    {
        var length = HeaderBytes + cause.Length;
        pdu[..HeaderBytes].Clear();
        new PduHeader(type, PduFlags.None, HeaderBytes, 0, (uint)length).Write(pdu);
        BinaryPrimitives.WriteUInt16LittleEndian(pdu[StatusOffset..], (ushort)Status);
        BinaryPrimitives.WriteUInt32LittleEndian(pdu[InformationOffset..], Information);
        cause.CopyTo(pdu[HeaderBytes..]);
        return length;
    }
}
