using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>Login Request (RFC 7143, 11.12). Text follows.</summary>
//     0  |.|1| 0x03 |T|C|..|CSG|NSG| Vmax  | Vmin    |   T: go on to stage NSG. C: text goes on in the next PDU.
//     4  |AHS words | DataSegmentLength              |
//     8  | ISID (6 bytes)                   | TSIH   |
//    16  | Initiator Task Tag                        |
//    20  | CID                 | reserved            |
//    24  | CmdSN                                     |
//    28  | ExpStatSN                                 |
readonly record struct LoginRequestPdu(
    bool Transit,
    bool Continue,
    LoginStage CurrentStage,
    LoginStage NextStage,
    byte VersionMax,
    byte VersionMin,
    ulong Isid,
    ushort Tsih,
    uint InitiatorTaskTag,
    ushort Cid,
    uint CmdSN,
    uint ExpStatSN)
{
    const int ContinueBit = 0x40;

    public static LoginRequestPdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.IsFinal(header),
        (header[1] & ContinueBit) != 0,
        (LoginStage)((header[1] >> 2) & 3),
        (LoginStage)(header[1] & 3),
        header[2],
        header[3],
        ((ulong)Bhs.UInt32(header, 8) << 16) | Bhs.UInt16(header, 12),
        Bhs.UInt16(header, 14),
        Bhs.ReadInitiatorTaskTag(header),
        Bhs.UInt16(header, 20),
        Bhs.UInt32(header, 24),
        Bhs.UInt32(header, 28));

    public void Write(Span<byte> header, int textBytes)
    {
        var flags = (Transit ? Bhs.FinalBit : 0) | (Continue ? ContinueBit : 0) | ((int)CurrentStage << 2) | (int)NextStage;
        Bhs.Write(header, Opcode.LoginRequest, flags, textBytes, InitiatorTaskTag, immediate: true);
        header[2] = VersionMax;
        header[3] = VersionMin;
        Bhs.SetUInt32(header, 8, (uint)(Isid >> 16));
        Bhs.SetUInt16(header, 12, (ushort)Isid);
        Bhs.SetUInt16(header, 14, Tsih);
        Bhs.SetUInt16(header, 20, Cid);
        Bhs.SetUInt32(header, 24, CmdSN);
        Bhs.SetUInt32(header, 28, ExpStatSN);
    }
}

/// <summary>Stages of a login (RFC 7143, 11.12.3).</summary>
enum LoginStage
{
    Security = 0,
    Operational = 1,
    Reserved = 2,
    FullFeature = 3,
}
