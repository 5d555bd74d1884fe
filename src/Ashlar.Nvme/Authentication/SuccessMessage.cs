namespace Ashlar.Nvme;

// DH-HMAC-CHAP_Success1 (NVM Express Base 2.0, 8.13.5.4): the host is believed, and told who the controller is, if it has asked. Success2
// (8.13.5.6), by which the host says that it believes the controller, has 16 bytes of which only the header says something.
//   0        6     7          8           9          16         16+n
//   +--------+-----+----------+-----------+----------+----------+
//   | header | n   | reserved | responds  | reserved | response |
//   +--------+-----+----------+-----------+----------+----------+
static class SuccessMessage
{
    public const int HeaderBytes = 16;

    const int ResponseBytesOffset = 6, RespondsOffset = 8;

    /// <summary>Writes Success1.</summary>
    public static byte[] Write(ushort transaction, int hashBytes, byte[]? response)
    {
        var message = new byte[HeaderBytes + (response?.Length ?? 0)];
        AuthenticationMessage.WriteHeader(message, AuthenticationMessageKind.Success1, transaction);
        message[ResponseBytesOffset] = (byte)hashBytes;
        if (response is null) return message;
        message[RespondsOffset] = 1;
        response.CopyTo(message, HeaderBytes);
        return message;
    }

    /// <summary>The response of the controller, as a host reads it; null where there is none.</summary>
    public static byte[]? ReadResponse(ReadOnlySpan<byte> message) =>
        message[RespondsOffset] == 0 ? null : message.Slice(HeaderBytes, message[ResponseBytesOffset]).ToArray();

    /// <summary>Writes Success2.</summary>
    public static byte[] WriteSecond(ushort transaction)
    {
        var message = new byte[HeaderBytes];
        AuthenticationMessage.WriteHeader(message, AuthenticationMessageKind.Success2, transaction);
        return message;
    }
}
