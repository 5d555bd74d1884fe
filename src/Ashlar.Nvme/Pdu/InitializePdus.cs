using System.Buffers.Binary;

namespace Ashlar.Nvme;

// Initialize Connection Request, ICReq (NVMe/TCP Transport 1.0, 3.6.2.2). HPDA counts in units of 4 bytes, from 0; MAXR2T counts
// from 0.
//   0               8     10     11     12       16                     128
//   +---------------+-----+------+------+--------+----------------------+
//   | common header | PFV | HPDA | DGST | MAXR2T | reserved             |
//   +---------------+-----+------+------+--------+----------------------+
readonly record struct InitializeRequest(ushort Version, byte HostAlignment, Digests Digests, uint MaxReadyToTransfer)
{
    public const int SizeBytes = 128;
    public const int VersionOffset = 8, AlignmentOffset = 10, DigestOffset = 11, MaxReadyToTransferOffset = 12;

    /// <summary>The largest alignment: 128 bytes.</summary>
    public const byte MaxAlignment = 31;

    public static InitializeRequest Read(ReadOnlySpan<byte> pdu) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(pdu[VersionOffset..]),
        pdu[AlignmentOffset],
        Digests.FromByte(pdu[DigestOffset]),
        BinaryPrimitives.ReadUInt32LittleEndian(pdu[MaxReadyToTransferOffset..]));

    public void Write(Span<byte> pdu)
    {
        pdu[..SizeBytes].Clear();
        new PduHeader(PduType.InitializeConnectionRequest, PduFlags.None, SizeBytes, 0, SizeBytes).Write(pdu);
        BinaryPrimitives.WriteUInt16LittleEndian(pdu[VersionOffset..], Version);
        pdu[AlignmentOffset] = HostAlignment;
        pdu[DigestOffset] = Digests.ToByte();
        BinaryPrimitives.WriteUInt32LittleEndian(pdu[MaxReadyToTransferOffset..], MaxReadyToTransfer);
    }
}

// Initialize Connection Response, ICResp (3.6.2.3).
//   0               8     10     11     12           16                 128
//   +---------------+-----+------+------+------------+------------------+
//   | common header | PFV | CPDA | DGST | MAXH2CDATA | reserved         |
//   +---------------+-----+------+------+------------+------------------+
readonly record struct InitializeResponse(ushort Version, byte ControllerAlignment, Digests Digests, uint MaxHostDataBytes)
{
    public const int SizeBytes = 128;
    const int VersionOffset = 8, AlignmentOffset = 10, DigestOffset = 11, MaxHostDataOffset = 12;

    public static InitializeResponse Read(ReadOnlySpan<byte> pdu) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(pdu[VersionOffset..]),
        pdu[AlignmentOffset],
        Digests.FromByte(pdu[DigestOffset]),
        BinaryPrimitives.ReadUInt32LittleEndian(pdu[MaxHostDataOffset..]));

    public void Write(Span<byte> pdu)
    {
        pdu[..SizeBytes].Clear();
        new PduHeader(PduType.InitializeConnectionResponse, PduFlags.None, SizeBytes, 0, SizeBytes).Write(pdu);
        BinaryPrimitives.WriteUInt16LittleEndian(pdu[VersionOffset..], Version);
        pdu[AlignmentOffset] = ControllerAlignment;
        pdu[DigestOffset] = Digests.ToByte();
        BinaryPrimitives.WriteUInt32LittleEndian(pdu[MaxHostDataOffset..], MaxHostDataBytes);
    }
}
