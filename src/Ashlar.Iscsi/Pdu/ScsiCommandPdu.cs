using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>SCSI Command (RFC 7143, 11.3).</summary>
//     0  |.|I| 0x01 |F|R|W|. .|ATTR| reserved        |   F: no unsolicited Data-Out follows
//     4  |AHS words | DataSegmentLength              |   R: reads, W: writes
//     8  | LUN                                       |
//    16  | Initiator Task Tag                        |
//    20  | Expected Data Transfer Length             |
//    24  | CmdSN                                     |
//    28  | ExpStatSN                                 |
//    32  | CDB (16 bytes)                            |
readonly record struct ScsiCommandPdu(
    bool Immediate,
    bool Final,
    bool Reads,
    bool Writes,
    TaskAttribute Attribute,
    uint InitiatorTaskTag,
    uint ExpectedDataTransferLength,
    uint CmdSN,
    uint ExpStatSN)
{
    public const int CdbOffset = 32, CdbBytes = 16;

    const int ReadBit = 0x40, WriteBit = 0x20, AttributeMask = 0x07;

    public static ScsiCommandPdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.IsImmediate(header),
        Bhs.IsFinal(header),
        (header[1] & ReadBit) != 0,
        (header[1] & WriteBit) != 0,
        (TaskAttribute)(header[1] & AttributeMask),
        Bhs.ReadInitiatorTaskTag(header),
        Bhs.UInt32(header, 20),
        Bhs.UInt32(header, 24),
        Bhs.UInt32(header, 28));

    public void Write(Span<byte> header, ReadOnlySpan<byte> lun, ReadOnlySpan<byte> cdb, int immediateDataBytes)
    {
        var flags = (Final ? Bhs.FinalBit : 0) | (Reads ? ReadBit : 0) | (Writes ? WriteBit : 0) | (int)Attribute;
        Bhs.Write(header, Opcode.ScsiCommand, flags, immediateDataBytes, InitiatorTaskTag, Immediate);
        lun.CopyTo(header[Bhs.LunOffset..]);
        Bhs.SetUInt32(header, 20, ExpectedDataTransferLength);
        Bhs.SetUInt32(header, 24, CmdSN);
        Bhs.SetUInt32(header, 28, ExpStatSN);
        cdb.CopyTo(header[CdbOffset..]);
    }
}

/// <summary>Task attributes (RFC 7143, 11.3.1).</summary>
enum TaskAttribute
{
    Untagged = 0,
    Simple = 1,
    Ordered = 2,
    HeadOfQueue = 3,
    Aca = 4,
}
