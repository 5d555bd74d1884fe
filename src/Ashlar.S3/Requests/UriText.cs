using System.Buffers;
using System.Text;

namespace Ashlar.S3;

/// <summary>Percent-encoding as signatures have it: all but the unreserved characters.</summary>
static class UriText
{
    static readonly SearchValues<byte> Unreserved =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"u8);

    /// <summary>Encodes bytes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes, bool keepsSlash = false)
    {
        var text = new StringBuilder(bytes.Length + 16);
        foreach (var one in bytes)
        {
            if (Unreserved.Contains(one) || (keepsSlash && one == (byte)'/')) text.Append((char)one);
            else text.Append('%').Append(one.ToString("X2"));
        }

        return text.ToString();
    }

    /// <inheritdoc cref="Encode(ReadOnlySpan{byte}, bool)"/>
    public static string Encode(string text, bool keepsSlash = false) => Encode(Encoding.UTF8.GetBytes(text), keepsSlash);

    /// <summary>Decodes; null for what is no encoding.</summary>
    public static byte[]? Decode(ReadOnlySpan<char> text, bool plusIsSpace)
    {
        var bytes = new ArrayBufferWriter<byte>(text.Length + 1);
        while (!text.IsEmpty)
        {
            var one = text[0];
            if (one == '%')
            {
                if (text.Length < 3 || !char.IsAsciiHexDigit(text[1]) || !char.IsAsciiHexDigit(text[2])) return null;
                Put(bytes, (byte)((HexValue(text[1]) << 4) | HexValue(text[2])));
                text = text[3..];
                continue;
            }

            if (char.IsAscii(one))
            {
                Put(bytes, one == '+' && plusIsSpace ? (byte)' ' : (byte)one);
                text = text[1..];
                continue;
            }

            // What came as it is: the server reads it as UTF-8.
            if (Rune.DecodeFromUtf16(text, out var rune, out var taken) != OperationStatus.Done) return null;
            bytes.Advance(rune.EncodeToUtf8(bytes.GetSpan(4)));
            text = text[taken..];
        }

        return bytes.WrittenSpan.ToArray();
    }

    static int HexValue(char digit) => char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;

    static void Put(ArrayBufferWriter<byte> bytes, byte value)
    {
        bytes.GetSpan(1)[0] = value;
        bytes.Advance(1);
    }
}
