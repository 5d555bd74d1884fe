using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>Text Response (RFC 7143, 11.11). Text follows.</summary>
//     0  |.|.| 0x24 |F|C| reserved                   |   C: more text on the next empty request with this tag
//     4  |AHS words | DataSegmentLength              |
//     8  | LUN                                       |
//    16  | Initiator Task Tag                        |
//    20  | Target Transfer Tag                       |   FFFFFFFF when the exchange is over
//    24  | StatSN, ExpCmdSN, MaxCmdSN                |
readonly record struct TextResponsePdu(bool Final, bool Continue, uint InitiatorTaskTag, uint TargetTransferTag)
{
    const int ContinueBit = 0x40;

    public static TextResponsePdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.IsFinal(header), (header[1] & ContinueBit) != 0, Bhs.ReadInitiatorTaskTag(header), Bhs.UInt32(header, 20));

    public void Write(Span<byte> header, TargetNumbers numbers, int textBytes)
    {
        Bhs.Write(header, Opcode.TextResponse, (Final ? Bhs.FinalBit : 0) | (Continue ? ContinueBit : 0), textBytes, InitiatorTaskTag);
        Bhs.SetUInt32(header, 20, TargetTransferTag);
        numbers.Write(header);
    }
}
