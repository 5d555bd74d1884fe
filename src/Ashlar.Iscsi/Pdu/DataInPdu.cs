using Ashlar.Scsi;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>SCSI Data-In (RFC 7143, 11.7). The last one of a command that went well carries its status (S bit).</summary>
//     0  |.|.| 0x25 |F|A|...|O|U|S| reserved | Status |
//     4  |AHS words | DataSegmentLength              |
//     8  | LUN: reserved while A is 0                |
//    16  | Initiator Task Tag                        |
//    20  | Target Transfer Tag: FFFFFFFF             |
//    24  | StatSN (with S only), ExpCmdSN, MaxCmdSN  |
//    36  | DataSN                                    |
//    40  | Buffer Offset                             |
//    44  | Residual Count                            |
readonly record struct DataInPdu(
    uint InitiatorTaskTag,
    bool Final,
    bool HasStatus,
    ScsiStatus Status,
    Residual Residual,
    uint DataSN,
    uint BufferOffset)
{
    const int StatusBit = 0x01;

    public static DataInPdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.ReadInitiatorTaskTag(header),
        Bhs.IsFinal(header),
        (header[1] & StatusBit) != 0,
        (ScsiStatus)header[3],
        Residual.Read(header),
        Bhs.UInt32(header, 36),
        Bhs.UInt32(header, 40));

    public void Write(Span<byte> header, TargetNumbers numbers, int dataSegmentLength)
    {
        Bhs.Write(header, Opcode.DataIn, (Final ? Bhs.FinalBit : 0) | (HasStatus ? StatusBit : 0), dataSegmentLength, InitiatorTaskTag);
        Bhs.SetUInt32(header, 20, Bhs.NoTag);
        (HasStatus ? numbers : numbers with { StatSN = 0 }).Write(header);
        Bhs.SetUInt32(header, 36, DataSN);
        Bhs.SetUInt32(header, 40, BufferOffset);
        if (!HasStatus) return;
        header[3] = (byte)Status;
        Residual.Write(header);
    }
}
