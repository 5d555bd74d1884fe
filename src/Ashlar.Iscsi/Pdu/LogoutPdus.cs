using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>Logout Request (RFC 7143, 11.14).</summary>
//     0  |.|I| 0x06 |1| Reason | reserved            |   0 closes the session, 1 the connection, 2 is for recovery
//    16  | Initiator Task Tag                        |
//    20  | CID                 | reserved            |
//    24  | CmdSN                                     |
//    28  | ExpStatSN                                 |
readonly record struct LogoutRequestPdu(bool Immediate, int Reason, uint InitiatorTaskTag, ushort Cid, uint CmdSN, uint ExpStatSN)
{
    public const int CloseSession = 0, CloseConnection = 1, RemoveForRecovery = 2;

    public static LogoutRequestPdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.IsImmediate(header),
        header[1] & 0x7F,
        Bhs.ReadInitiatorTaskTag(header),
        Bhs.UInt16(header, 20),
        Bhs.UInt32(header, 24),
        Bhs.UInt32(header, 28));

    public void Write(Span<byte> header)
    {
        Bhs.Write(header, Opcode.LogoutRequest, Bhs.FinalBit | Reason, 0, InitiatorTaskTag, Immediate);
        Bhs.SetUInt16(header, 20, Cid);
        Bhs.SetUInt32(header, 24, CmdSN);
        Bhs.SetUInt32(header, 28, ExpStatSN);
    }
}

/// <summary>Logout Response (RFC 7143, 11.15).</summary>
//     0  |.|.| 0x26 |1| reserved | Response | res.   |
//    16  | Initiator Task Tag                        |
//    24  | StatSN, ExpCmdSN, MaxCmdSN                |
//    40  | Time2Wait           | Time2Retain         |   seconds
readonly record struct LogoutResponsePdu(uint InitiatorTaskTag, LogoutResult Result)
{
    public static LogoutResponsePdu Read(ReadOnlySpan<byte> header) => new(Bhs.ReadInitiatorTaskTag(header), (LogoutResult)header[2]);

    public void Write(Span<byte> header, TargetNumbers numbers)
    {
        Bhs.Write(header, Opcode.LogoutResponse, Bhs.FinalBit, 0, InitiatorTaskTag);
        header[2] = (byte)Result;
        numbers.Write(header);
    }
}

/// <summary>Answers (RFC 7143, 11.15.1).</summary>
enum LogoutResult
{
    Closed = 0,
    NoSuchConnection = 1,
    RecoveryNotSupported = 2,
    CleanupFailed = 3,
}
