using System.Buffers.Binary;

namespace Ashlar.Nvme;

/// <summary>Kinds of messages: type (high) and number (low) of NVM Express Base 2.0, figure 433.</summary>
enum AuthenticationMessageKind : ushort
{
    Negotiate = 0x0000,
    Failure2 = 0x00F0,
    Failure1 = 0x00F1,
    Challenge = 0x0101,
    Reply = 0x0102,
    Success1 = 0x0103,
    Success2 = 0x0104,
}

/// <summary>Why an authentication has failed (NVM Express Base 2.0, figure 446).</summary>
enum AuthenticationFailure : byte
{
    None = 0,
    Failed = 1,
    ProtocolUnusable = 2,
    SecureChannelMismatch = 3,
    HashUnusable = 4,
    GroupUnusable = 5,
    IncorrectPayload = 6,
    IncorrectMessage = 7,
}

// What all messages begin with, little-endian (NVM Express Base 2.0, 8.13.4 and 8.13.5).
//   0      1        2          4             6
//   +------+--------+----------+-------------+----
//   | type | number | reserved | transaction | ...
//   +------+--------+----------+-------------+----
// Failure1 and Failure2 go on with
//   6          7             8
//   +----------+-------------+
//   | reason 1 | explanation |
//   +----------+-------------+
static class AuthenticationMessage
{
    /// <summary>The longest message of a host: a reply with the largest group.</summary>
    public const int MaxBytes = 4096;

    public const int HeaderBytes = 6, FailureBytes = 8;

    const int TransactionOffset = 4, ReasonOffset = 6, ExplanationOffset = 7;

    const byte AuthenticationFailed = 1;

    public static AuthenticationMessageKind KindOf(ReadOnlySpan<byte> message) =>
        (AuthenticationMessageKind)((message[0] << 8) | message[1]);

    public static ushort TransactionOf(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadUInt16LittleEndian(message[TransactionOffset..]);

    public static void WriteHeader(Span<byte> message, AuthenticationMessageKind kind, ushort transaction)
    {
        message.Clear();
        message[0] = (byte)((ushort)kind >> 8);
        message[1] = (byte)kind;
        BinaryPrimitives.WriteUInt16LittleEndian(message[TransactionOffset..], transaction);
    }

    public static AuthenticationFailure FailureOf(ReadOnlySpan<byte> message) => (AuthenticationFailure)message[ExplanationOffset];

    public static byte[] WriteFailure(AuthenticationMessageKind kind, ushort transaction, AuthenticationFailure failure)
    {
        var message = new byte[FailureBytes];
        WriteHeader(message, kind, transaction);
        message[ReasonOffset] = AuthenticationFailed;
        message[ExplanationOffset] = (byte)failure;
        return message;
    }
}
