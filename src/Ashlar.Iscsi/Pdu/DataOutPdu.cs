using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>SCSI Data-Out (RFC 7143, 11.7).</summary>
//     0  |.|.| 0x05 |F| reserved                     |   F: last of the burst
//     4  |AHS words | DataSegmentLength              |
//     8  | LUN                                       |
//    16  | Initiator Task Tag                        |
//    20  | Target Transfer Tag                       |   of the R2T; FFFFFFFF for unsolicited data
//    28  | ExpStatSN                                 |
//    36  | DataSN                                    |   from 0 in each burst
//    40  | Buffer Offset                             |
readonly record struct DataOutPdu(bool Final, uint InitiatorTaskTag, uint TargetTransferTag, uint ExpStatSN, uint DataSN, uint BufferOffset)
{
    public static DataOutPdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.IsFinal(header),
        Bhs.ReadInitiatorTaskTag(header),
        Bhs.UInt32(header, 20),
        Bhs.UInt32(header, 28),
        Bhs.UInt32(header, 36),
        Bhs.UInt32(header, 40));

    public void Write(Span<byte> header, int dataSegmentLength)
    {
        Bhs.Write(header, Opcode.DataOut, Final ? Bhs.FinalBit : 0, dataSegmentLength, InitiatorTaskTag);
        Bhs.SetUInt32(header, 20, TargetTransferTag);
        Bhs.SetUInt32(header, 28, ExpStatSN);
        Bhs.SetUInt32(header, 36, DataSN);
        Bhs.SetUInt32(header, 40, BufferOffset);
    }
}
