using System.Buffers.Binary;

namespace Ashlar.Nvme;

// DH-HMAC-CHAP_Challenge (NVM Express Base 2.0, 8.13.5.2): the controller says what is used, and asks.
//   0        6      7          8      9       10          12       16          16+n
//   +--------+------+----------+------+-------+-----------+--------+-----------+-------------+
//   | header | n    | reserved | hash | group | bytes of  | number | challenge | DH value    |
//   |        |      |          |      |       | DH value  |        |           |             |
//   +--------+------+----------+------+-------+-----------+--------+-----------+-------------+
readonly record struct ChallengeMessage(DhChapChallenge Challenge, byte HashId, byte GroupId, byte[] PublicValue)
{
    const int ChallengeBytesOffset = 6, HashOffset = 8, GroupOffset = 9, PublicBytesOffset = 10, NumberOffset = 12, ValueOffset = 16;

    public byte[] Write()
    {
        var message = new byte[ValueOffset + Challenge.Value.Length + PublicValue.Length];
        AuthenticationMessage.WriteHeader(message, AuthenticationMessageKind.Challenge, Challenge.Transaction);
        message[ChallengeBytesOffset] = (byte)Challenge.Value.Length;
        message[HashOffset] = HashId;
        message[GroupOffset] = GroupId;
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(PublicBytesOffset), (ushort)PublicValue.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(NumberOffset), Challenge.Number);
        Challenge.Value.CopyTo(message, ValueOffset);
        PublicValue.CopyTo(message, ValueOffset + Challenge.Value.Length);
        return message;
    }

    /// <summary>As a host reads what a controller has written.</summary>
    public static ChallengeMessage Read(ReadOnlySpan<byte> message)
    {
        var value = message.Slice(ValueOffset, message[ChallengeBytesOffset]);
        var publicBytes = BinaryPrimitives.ReadUInt16LittleEndian(message[PublicBytesOffset..]);
        return new(
            new(
                value.ToArray(), BinaryPrimitives.ReadUInt32LittleEndian(message[NumberOffset..]),
                AuthenticationMessage.TransactionOf(message)),
            message[HashOffset], message[GroupOffset], message.Slice(ValueOffset + value.Length, publicBytes).ToArray());
    }
}
