using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>Reject (RFC 7143, 11.17). The header that is rejected follows as data.</summary>
//     0  |.|.| 0x3F |1| reserved | Reason | reserved |
//     4  |AHS words | DataSegmentLength: 48          |
//    16  | FFFFFFFF                                  |
//    24  | StatSN, ExpCmdSN, MaxCmdSN                |
//    36  | DataSN/R2TSN: not used                    |
readonly record struct RejectPdu(RejectReason Reason)
{
    public const int SizeBytes = 2 * Bhs.SizeBytes;

    public static RejectPdu Read(ReadOnlySpan<byte> header) => new((RejectReason)header[2]);

    public void Write(Span<byte> target, TargetNumbers numbers, ReadOnlySpan<byte> rejectedHeader)
    {
        Bhs.Write(target, Opcode.Reject, Bhs.FinalBit, Bhs.SizeBytes, Bhs.NoTag);
        target[2] = (byte)Reason;
        numbers.Write(target);
        rejectedHeader[..Bhs.SizeBytes].CopyTo(target[Bhs.SizeBytes..]);
    }
}

/// <summary>Why (RFC 7143, 11.17.1).</summary>
enum RejectReason
{
    DataDigestError = 0x02,
    SnackReject = 0x03,
    ProtocolError = 0x04,
    CommandNotSupported = 0x05,
    TooManyImmediateCommands = 0x06,
    TaskInProgress = 0x07,
    InvalidDataAck = 0x08,
    InvalidPduField = 0x09,
    LongOperation = 0x0A,
    WaitingForLogout = 0x0C,
}
