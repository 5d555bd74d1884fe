using System.Buffers.Binary;

namespace Ashlar.Nvme;

// DH-HMAC-CHAP_Reply (NVM Express Base 2.0, 8.13.5.3): the host answers, and may ask. The second challenge is there whether it is one or
// not.
//   0        6      7          8       9          10          12       16         16+n        16+2n
//   +--------+------+----------+-------+----------+-----------+--------+----------+-----------+----------+
//   | header | n    | reserved | asks  | reserved | bytes of  | number | response | challenge | DH value |
//   |        |      |          |       |          | DH value  |        |          |           |          |
//   +--------+------+----------+-------+----------+-----------+--------+----------+-----------+----------+
readonly record struct ReplyMessage(byte[] Response, DhChapChallenge? Challenge, byte[] PublicValue)
{
    const int ResponseBytesOffset = 6, AsksOffset = 8, PublicBytesOffset = 10, NumberOffset = 12, ResponseOffset = 16;

    /// <summary>Reads a message, all of whose lengths are what they must be.</summary>
    /// <param name="source">The message.</param>
    /// <param name="hashBytes">What the hash has, which was agreed on.</param>
    /// <param name="message">What it says.</param>
    public static bool TryRead(ReadOnlySpan<byte> source, int hashBytes, out ReplyMessage message)
    {
        message = default;
        var responsesEnd = ResponseOffset + (2 * hashBytes);
        if (source.Length < responsesEnd || source[ResponseBytesOffset] != hashBytes || source[AsksOffset] > 1) return false;
        var publicBytes = BinaryPrimitives.ReadUInt16LittleEndian(source[PublicBytesOffset..]);
        if (publicBytes > source.Length - responsesEnd) return false;
        DhChapChallenge? challenge = null;
        if (source[AsksOffset] == 1)
        {
            var number = BinaryPrimitives.ReadUInt32LittleEndian(source[NumberOffset..]);
            if (number == 0) return false;
            challenge = new(
                source.Slice(ResponseOffset + hashBytes, hashBytes).ToArray(), number, AuthenticationMessage.TransactionOf(source));
        }
        message = new(
            source.Slice(ResponseOffset, hashBytes).ToArray(), challenge, source.Slice(responsesEnd, publicBytes).ToArray());
        return true;
    }

    public byte[] Write(ushort transaction)
    {
        var message = new byte[ResponseOffset + (2 * Response.Length) + PublicValue.Length];
        AuthenticationMessage.WriteHeader(message, AuthenticationMessageKind.Reply, transaction);
        message[ResponseBytesOffset] = (byte)Response.Length;
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(PublicBytesOffset), (ushort)PublicValue.Length);
        Response.CopyTo(message, ResponseOffset);
        if (Challenge is { } challenge)
        {
            message[AsksOffset] = 1;
            BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(NumberOffset), challenge.Number);
            challenge.Value.CopyTo(message, ResponseOffset + Response.Length);
        }
        PublicValue.CopyTo(message, ResponseOffset + (2 * Response.Length));
        return message;
    }
}
