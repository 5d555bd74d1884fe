using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>Text Request (RFC 7143, 11.10). Text follows.</summary>
//     0  |.|I| 0x04 |F|C| reserved                   |   C: text goes on in the next PDU
//     4  |AHS words | DataSegmentLength              |
//     8  | LUN                                       |
//    16  | Initiator Task Tag                        |
//    20  | Target Transfer Tag                       |   of the response that is to go on; FFFFFFFF for a new request
//    24  | CmdSN                                     |
//    28  | ExpStatSN                                 |
readonly record struct TextRequestPdu(
    bool Immediate, bool Final, bool Continue, uint InitiatorTaskTag, uint TargetTransferTag, uint CmdSN, uint ExpStatSN)
{
    const int ContinueBit = 0x40;

    public static TextRequestPdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.IsImmediate(header),
        Bhs.IsFinal(header),
        (header[1] & ContinueBit) != 0,
        Bhs.ReadInitiatorTaskTag(header),
        Bhs.UInt32(header, 20),
        Bhs.UInt32(header, 24),
        Bhs.UInt32(header, 28));

    public void Write(Span<byte> header, int textBytes)
    {
        var flags = (Final ? Bhs.FinalBit : 0) | (Continue ? ContinueBit : 0);
        Bhs.Write(header, Opcode.TextRequest, flags, textBytes, InitiatorTaskTag, Immediate);
        Bhs.SetUInt32(header, 20, TargetTransferTag);
        Bhs.SetUInt32(header, 24, CmdSN);
        Bhs.SetUInt32(header, 28, ExpStatSN);
    }
}
