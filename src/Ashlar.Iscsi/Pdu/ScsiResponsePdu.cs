using Ashlar.Scsi;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>SCSI Response (RFC 7143, 11.4); sense data follows it, headed by its length (11.4.7).</summary>
//     0  |.|.| 0x21 |1|..|o|u|O|U|.| Response | Status |
//     4  |AHS words | DataSegmentLength              |   O: more data than expected, U: less
//    16  | Initiator Task Tag                        |
//    20  | SNACK Tag                                 |   not used at error recovery level 0
//    24  | StatSN, ExpCmdSN, MaxCmdSN                |
//    36  | ExpDataSN                                 |   Data-In and R2T PDUs sent for the command
//    40  | bidirectional read residual: none         |
//    44  | Residual Count                            |
readonly record struct ScsiResponsePdu(uint InitiatorTaskTag, ScsiStatus Status, Residual Residual, uint ExpDataSN)
{
    public static ScsiResponsePdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.ReadInitiatorTaskTag(header), (ScsiStatus)header[3], Residual.Read(header), Bhs.UInt32(header, 36));

    public void Write(Span<byte> header, TargetNumbers numbers, int dataSegmentLength)
    {
        Bhs.Write(header, Opcode.ScsiResponse, Bhs.FinalBit, dataSegmentLength, InitiatorTaskTag);
        header[3] = (byte)Status;
        numbers.Write(header);
        Bhs.SetUInt32(header, 36, ExpDataSN);
        Residual.Write(header);
    }
}

/// <summary>How many bytes more (positive) or fewer (negative) a command moves than the initiator expected (11.4.5).</summary>
readonly record struct Residual(long Bytes)
{
    const int OverflowBit = 0x04, UnderflowBit = 0x02, CountOffset = 44;

    public static Residual Read(ReadOnlySpan<byte> header) => new((header[1] & (OverflowBit | UnderflowBit)) switch
    {
        OverflowBit => Bhs.UInt32(header, CountOffset),
        UnderflowBit => -(long)Bhs.UInt32(header, CountOffset),
        _ => 0,
    });

    public void Write(Span<byte> header)
    {
        header[1] |= (byte)(Bytes > 0 ? OverflowBit : Bytes < 0 ? UnderflowBit : 0);
        Bhs.SetUInt32(header, CountOffset, (uint)Math.Min(uint.MaxValue, Math.Abs(Bytes)));
    }
}
