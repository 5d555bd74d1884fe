using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>Login Response (RFC 7143, 11.13). Text follows.</summary>
//     0  |.|.| 0x23 |T|C|..|CSG|NSG| Vmax  | Vactive |
//     4  |AHS words | DataSegmentLength              |
//     8  | ISID (6 bytes)                   | TSIH   |   TSIH: of the session, from the last response on
//    16  | Initiator Task Tag                        |
//    24  | StatSN, ExpCmdSN, MaxCmdSN                |
//    36  | Status class | detail | reserved          |
readonly record struct LoginResponsePdu(
    bool Transit,
    bool Continue,
    LoginStage CurrentStage,
    LoginStage NextStage,
    ulong Isid,
    ushort Tsih,
    uint InitiatorTaskTag,
    LoginStatus Status)
{
    const int ContinueBit = 0x40, StatusOffset = 36;

    public static LoginResponsePdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.IsFinal(header),
        (header[1] & ContinueBit) != 0,
        (LoginStage)((header[1] >> 2) & 3),
        (LoginStage)(header[1] & 3),
        ((ulong)Bhs.UInt32(header, 8) << 16) | Bhs.UInt16(header, 12),
        Bhs.UInt16(header, 14),
        Bhs.ReadInitiatorTaskTag(header),
        (LoginStatus)Bhs.UInt16(header, StatusOffset));

    public void Write(Span<byte> header, TargetNumbers numbers, int textBytes)
    {
        var flags = (Transit ? Bhs.FinalBit : 0) | (Continue ? ContinueBit : 0) | ((int)CurrentStage << 2) | (int)NextStage;
        Bhs.Write(header, Opcode.LoginResponse, flags, textBytes, InitiatorTaskTag);
        Bhs.SetUInt32(header, 8, (uint)(Isid >> 16));
        Bhs.SetUInt16(header, 12, (ushort)Isid);
        Bhs.SetUInt16(header, 14, Tsih);
        numbers.Write(header);
        Bhs.SetUInt16(header, StatusOffset, (int)Status);
    }
}

/// <summary>How a login ended (RFC 7143, 11.13.5): class in the high byte.</summary>
enum LoginStatus
{
    Success = 0x0000,
    InitiatorError = 0x0200,
    AuthenticationFailure = 0x0201,
    NotFound = 0x0203,
    UnsupportedVersion = 0x0205,
    TooManyConnections = 0x0206,
    MissingParameter = 0x0207,
    SessionTypeNotSupported = 0x0209,
    SessionDoesNotExist = 0x020A,
    InvalidDuringLogin = 0x020B,
    TargetError = 0x0300,
    ServiceUnavailable = 0x0301,
    OutOfResources = 0x0302,
}
