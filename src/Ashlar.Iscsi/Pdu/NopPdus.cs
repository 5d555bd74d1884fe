using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>NOP-Out (RFC 7143, 11.18): a ping, or the answer to one of ours.</summary>
//     0  |.|I| 0x00 |1| reserved                     |
//     4  |AHS words | DataSegmentLength              |   ping data, to be sent back
//     8  | LUN                                       |
//    16  | Initiator Task Tag                        |   FFFFFFFF: no answer wanted
//    20  | Target Transfer Tag                       |   of the NOP-In that this answers, or FFFFFFFF
//    24  | CmdSN                                     |
//    28  | ExpStatSN                                 |
readonly record struct NopOutPdu(bool Immediate, uint InitiatorTaskTag, uint TargetTransferTag, uint CmdSN, uint ExpStatSN)
{
    public static NopOutPdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.IsImmediate(header),
        Bhs.ReadInitiatorTaskTag(header),
        Bhs.UInt32(header, 20),
        Bhs.UInt32(header, 24),
        Bhs.UInt32(header, 28));

    public void Write(Span<byte> header, int dataBytes)
    {
        Bhs.Write(header, Opcode.NopOut, Bhs.FinalBit, dataBytes, InitiatorTaskTag, Immediate);
        Bhs.SetUInt32(header, 20, TargetTransferTag);
        Bhs.SetUInt32(header, 24, CmdSN);
        Bhs.SetUInt32(header, 28, ExpStatSN);
    }
}

/// <summary>NOP-In (RFC 7143, 11.19): the answer to a ping.</summary>
//     0  |.|.| 0x20 |1| reserved                     |
//     4  |AHS words | DataSegmentLength              |
//     8  | LUN                                       |
//    16  | Initiator Task Tag                        |
//    20  | Target Transfer Tag                       |   FFFFFFFF: no answer wanted
//    24  | StatSN, ExpCmdSN, MaxCmdSN                |
readonly record struct NopInPdu(uint InitiatorTaskTag, uint TargetTransferTag)
{
    public static NopInPdu Read(ReadOnlySpan<byte> header) => new(Bhs.ReadInitiatorTaskTag(header), Bhs.UInt32(header, 20));

    public void Write(Span<byte> header, TargetNumbers numbers, int dataBytes)
    {
        Bhs.Write(header, Opcode.NopIn, Bhs.FinalBit, dataBytes, InitiatorTaskTag);
        Bhs.SetUInt32(header, 20, TargetTransferTag);
        numbers.Write(header);
    }
}
