using System.Buffers;
using System.Text;

namespace Ashlar.Iscsi;

/// <summary>Text of logins and text requests: "key=value" pairs, each ended by NUL (RFC 7143, 6.1).</summary>
static class TextPairs
{
    /// <summary>Most bytes of text that a request may have, over all its PDUs.</summary>
    public const int MaxTextBytes = 64 * 1024;

    const int MaxPairs = 128, MaxKeyBytes = 63;

    static readonly SearchValues<char> KeyCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-+@_");

    /// <summary>Takes text apart.</summary>
    /// <exception cref="NegotiationException">It is not made of pairs, has too many, or a key twice.</exception>
    public static List<KeyValuePair<string, string>> Parse(ReadOnlySpan<byte> text)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)0);
            if (end < 0) throw new NegotiationException("text does not end with NUL");
            var pair = text[..end];
            text = text[(end + 1)..];
            if (pair.IsEmpty) continue; // Padding that was counted as data.
            if (pairs.Count == MaxPairs) throw new NegotiationException($"more than {MaxPairs} keys at a time");
            var equals = pair.IndexOf((byte)'=');
            if (equals is < 1 or > MaxKeyBytes) throw new NegotiationException("text is not of the form key=value");
            var key = Encoding.Latin1.GetString(pair[..equals]);
            if (key.AsSpan().ContainsAnyExcept(KeyCharacters)) throw new NegotiationException("a key has characters that keys cannot have");
            if (!keys.Add(key)) throw new NegotiationException($"{key} is there twice");
            pairs.Add(new(key, Encoding.UTF8.GetString(pair[(equals + 1)..])));
        }
        return pairs;
    }

    /// <summary>Appends a pair.</summary>
    public static void Append(IBufferWriter<byte> text, string key, string value)
    {
        Encoding.UTF8.GetBytes(key, text);
        text.Write("="u8);
        Encoding.UTF8.GetBytes(value, text);
        text.Write("\0"u8);
    }
}
