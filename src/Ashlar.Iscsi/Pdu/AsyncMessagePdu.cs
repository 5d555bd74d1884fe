using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>Asynchronous Message (RFC 7143, 11.9): the target says what happens to the session.</summary>
//     0  |.|.| 0x32 |1| reserved                     |
//     8  | LUN                                       |
//    16  | FFFFFFFF                                  |
//    24  | StatSN, ExpCmdSN, MaxCmdSN                |
//    36  | AsyncEvent | AsyncVCode | Parameter1       |   2: this connection is dropped. 3: all connections are.
//    40  | Parameter2 (Time2Wait) | Parameter3 (Time2Retain), seconds
readonly record struct AsyncMessagePdu(int Event)
{
    public const int AllConnectionsAreDropped = 3;

    public static AsyncMessagePdu Read(ReadOnlySpan<byte> header) => new(header[36]);

    public void Write(Span<byte> header, TargetNumbers numbers)
    {
        Bhs.Write(header, Opcode.AsyncMessage, Bhs.FinalBit, 0, Bhs.NoTag);
        numbers.Write(header);
        header[36] = (byte)Event;
    }
}
