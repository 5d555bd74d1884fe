namespace Ashlar.Iscsi;

/// <summary>Binary values of text keys: hexadecimal behind 0x, or base64 behind 0b (RFC 7143, 6.1).</summary>
static class BinaryText
{
    /// <summary>Most bytes of a binary value (6.1).</summary>
    public const int MaxBytes = 1024;

    public static string Write(ReadOnlySpan<byte> value) => $"0x{Convert.ToHexStringLower(value)}";

    /// <summary>Reads a value; false where it is none, or too long.</summary>
    public static bool TryRead(string text, out byte[] value)
    {
        value = [];
        if (text.Length < 3 || text[0] != '0' || text.Length > 2 + (MaxBytes * 2)) return false;
        try
        {
            value = text[1] switch
            {
                'x' or 'X' => Convert.FromHexString(text.Length % 2 == 0 ? text.AsSpan(2) : $"0{text[2..]}"),
                'b' or 'B' => Convert.FromBase64String(text[2..]),
                _ => [],
            };
        }
        catch (FormatException)
        {
            return false;
        }
        return value.Length is > 0 and <= MaxBytes;
    }
}
