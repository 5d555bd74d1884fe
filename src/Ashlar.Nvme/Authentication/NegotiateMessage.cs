namespace Ashlar.Nvme;

// AUTH_Negotiate (NVM Express Base 2.0, 8.13.4.1): the host says what it knows. Descriptors of protocols have 64 bytes each.
//   0        6      7       8
//   +--------+------+-------+-------------+----
//   | header | SC_C | count | descriptors | ...
//   +--------+------+-------+-------------+----
// That of DH-HMAC-CHAP (8.13.5.1):
//   0     1          2       3        4        34       64
//   +-----+----------+-------+--------+--------+--------+
//   | 1   | reserved | hashes| groups | hashes | groups |
//   +-----+----------+-------+--------+--------+--------+
readonly ref struct NegotiateMessage(ReadOnlySpan<byte> hashes, ReadOnlySpan<byte> groups, byte secureChannel)
{
    public const byte DhChap = 1;

    const int SecureChannelOffset = 6, CountOffset = 7, DescriptorsOffset = 8, DescriptorBytes = 64;
    const int HashCountOffset = 2, GroupCountOffset = 3, HashesOffset = 4, GroupsOffset = 34, MaxIds = 30;

    /// <summary>Hashes that the host knows.</summary>
    public ReadOnlySpan<byte> Hashes { get; } = hashes;

    /// <summary>Groups that the host knows.</summary>
    public ReadOnlySpan<byte> Groups { get; } = groups;

    /// <summary>Whether TLS is to begin behind it.</summary>
    public byte SecureChannel { get; } = secureChannel;

    /// <summary>Reads a message.</summary>
    /// <returns>What is wrong with it.</returns>
    public static AuthenticationFailure TryRead(ReadOnlySpan<byte> source, out NegotiateMessage message)
    {
        message = default;
        if (source.Length < DescriptorsOffset || source.Length < DescriptorsOffset + (source[CountOffset] * DescriptorBytes))
            return AuthenticationFailure.IncorrectPayload;
        for (var i = 0; i < source[CountOffset]; i++)
        {
            var descriptor = source.Slice(DescriptorsOffset + (i * DescriptorBytes), DescriptorBytes);
            if (descriptor[0] != DhChap) continue;
            if (descriptor[HashCountOffset] > MaxIds || descriptor[GroupCountOffset] > MaxIds)
                return AuthenticationFailure.IncorrectPayload;
            message = new(
                descriptor.Slice(HashesOffset, descriptor[HashCountOffset]), descriptor.Slice(GroupsOffset, descriptor[GroupCountOffset]),
                source[SecureChannelOffset]);
            return AuthenticationFailure.None;
        }
        return AuthenticationFailure.ProtocolUnusable;
    }

    public byte[] Write(ushort transaction)
    {
        var message = new byte[DescriptorsOffset + DescriptorBytes];
        AuthenticationMessage.WriteHeader(message, AuthenticationMessageKind.Negotiate, transaction);
        message[SecureChannelOffset] = SecureChannel;
        message[CountOffset] = 1;
        var descriptor = message.AsSpan(DescriptorsOffset);
        descriptor[0] = DhChap;
        descriptor[HashCountOffset] = (byte)Hashes.Length;
        descriptor[GroupCountOffset] = (byte)Groups.Length;
        Hashes.CopyTo(descriptor[HashesOffset..]);
        Groups.CopyTo(descriptor[GroupsOffset..]);
        return message;
    }
}
