using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>Ready To Transfer, R2T (RFC 7143, 11.8): asks for a part of a write's data.</summary>
//     0  |.|.| 0x31 |1| reserved                     |
//     8  | LUN                                       |
//    16  | Initiator Task Tag                        |
//    20  | Target Transfer Tag                       |
//    24  | StatSN (of the next status), ExpCmdSN, MaxCmdSN
//    36  | R2TSN                                     |
//    40  | Buffer Offset                             |
//    44  | Desired Data Transfer Length              |
readonly record struct ReadyToTransferPdu(uint InitiatorTaskTag, uint TargetTransferTag, uint R2TSN, uint BufferOffset, uint DesiredLength)
{
    public static ReadyToTransferPdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.ReadInitiatorTaskTag(header),
        Bhs.UInt32(header, 20),
        Bhs.UInt32(header, 36),
        Bhs.UInt32(header, 40),
        Bhs.UInt32(header, 44));

    public void Write(Span<byte> header, TargetNumbers numbers, ulong lun)
    {
        Bhs.Write(header, Opcode.ReadyToTransfer, Bhs.FinalBit, 0, InitiatorTaskTag);
        Bhs.SetUInt32(header, Bhs.LunOffset, (uint)(lun >> 32));
        Bhs.SetUInt32(header, Bhs.LunOffset + 4, (uint)lun);
        Bhs.SetUInt32(header, 20, TargetTransferTag);
        numbers.Write(header);
        Bhs.SetUInt32(header, 36, R2TSN);
        Bhs.SetUInt32(header, 40, BufferOffset);
        Bhs.SetUInt32(header, 44, DesiredLength);
    }
}
