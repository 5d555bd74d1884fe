using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Ashlar.CommandLine;

/// <summary>How keys and values are written on the command line and in output.</summary>
enum EntryEncoding
{
    /// <summary>UTF-8.</summary>
    Text = 0,

    /// <summary>Pairs of hexadecimal digits.</summary>
    Hex,

    /// <summary>Base64 (RFC 4648, section 4).</summary>
    Base64,
}

/// <summary>Bytes of keys and values as text, and back.</summary>
static class EntryText
{
    /// <summary>What somebody typed, as bytes.</summary>
    /// <exception cref="FormatException">It is not in the encoding; the message says so.</exception>
    public static byte[] Parse(string text, EntryEncoding encoding)
    {
        try
        {
            return encoding switch
            {
                EntryEncoding.Hex => Convert.FromHexString(text),
                EntryEncoding.Base64 => Convert.FromBase64String(text),
                _ => Encoding.UTF8.GetBytes(text),
            };
        }
        catch (FormatException e)
        {
            var expected = encoding == EntryEncoding.Hex ? "hexadecimal: expected pairs of 0-9 and a-f" : "base64";
            throw new FormatException($"'{text}' is not {expected}", e);
        }
    }

    /// <summary>Bytes as one word: what is not text, and tabs, ends of lines and backslashes, is escaped.</summary>
    public static string ToLine(ReadOnlySpan<byte> bytes, EntryEncoding encoding) => encoding switch
    {
        EntryEncoding.Hex => Convert.ToHexStringLower(bytes),
        EntryEncoding.Base64 => Convert.ToBase64String(bytes),
        _ => Escape(bytes, isOneWord: true),
    };

    /// <summary>Bytes for people: only what is not text is escaped.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes, EntryEncoding encoding) =>
        encoding == EntryEncoding.Text ? Escape(bytes, isOneWord: false) : ToLine(bytes, encoding);

    /// <summary>The encoding that holds bytes exactly: base64 where text was asked for and they are not text.</summary>
    public static EntryEncoding Exact(EntryEncoding wanted, ReadOnlySpan<byte> bytes) =>
        wanted == EntryEncoding.Text && !Utf8.IsValid(bytes) ? EntryEncoding.Base64 : wanted;

    /// <summary>Bytes for programs, in an encoding that holds them exactly.</summary>
    public static string ToExact(ReadOnlySpan<byte> bytes, EntryEncoding encoding) =>
        encoding == EntryEncoding.Text ? Encoding.UTF8.GetString(bytes) : ToLine(bytes, encoding);

    /// <summary>The name of an encoding in output.</summary>
    public static string Name(EntryEncoding encoding) => encoding switch
    {
        EntryEncoding.Hex => "hex",
        EntryEncoding.Base64 => "base64",
        _ => "text",
    };

    /// <summary>Reads what <see cref="ToLine"/> wrote.</summary>
    /// <exception cref="FormatException">It is not in the encoding, or a backslash begins nothing that is known.</exception>
    public static byte[] FromLine(string word, EntryEncoding encoding)
    {
        if (encoding != EntryEncoding.Text || !word.Contains('\\')) return Parse(word, encoding);
        var bytes = new List<byte>(word.Length);
        for (var i = 0; i < word.Length; i++)
        {
            if (word[i] != '\\')
            {
                var end = word.IndexOf('\\', i);
                bytes.AddRange(Encoding.UTF8.GetBytes(word[i..(end < 0 ? word.Length : end)]));
                i = (end < 0 ? word.Length : end) - 1;
                continue;
            }

            var letter = ++i < word.Length ? word[i] : '\0';
            if (letter == 'x' && TryReadHex(word.AsSpan(i + 1, Math.Min(2, word.Length - i - 1)), out var value))
            {
                bytes.Add(value);
                i += 2;
                continue;
            }

            bytes.Add(letter switch
            {
                't' => (byte)'\t',
                'n' => (byte)'\n',
                'r' => (byte)'\r',
                '\\' => (byte)'\\',
                _ => throw new FormatException($"'{word}' has a backslash that begins none of \\t, \\n, \\r, \\\\ and \\x00"),
            });
        }

        return [.. bytes];
    }

    static string Escape(ReadOnlySpan<byte> bytes, bool isOneWord)
    {
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(bytes, out var rune, out var length);
            if (status != System.Buffers.OperationStatus.Done
                || (rune.Value < 0x20 && rune.Value is not ('\t' or '\n' or '\r'))
                || rune.Value is >= 0x7F and < 0xA0)
            {
                foreach (var value in bytes[..length]) text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
            }
            else if (isOneWord && rune.Value is '\t' or '\n' or '\r' or '\\')
            {
                text.Append(rune.Value switch { '\t' => "\\t", '\n' => "\\n", '\r' => "\\r", _ => "\\\\" });
            }
            else
            {
                text.Append(rune.ToString());
            }

            bytes = bytes[length..];
        }

        return text.ToString();
    }

    static bool TryReadHex(ReadOnlySpan<char> digits, out byte value) =>
        byte.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}

/// <summary>The options <c>--hex</c> and <c>--base64</c>.</summary>
sealed class EncodingOptions
{
    readonly Option<bool> hex = new("--hex") { Description = "Keys and values are hexadecimal digits, also in the output" };
    readonly Option<bool> base64 = new("--base64") { Description = "Keys and values are base64, also in the output" };

    public IEnumerable<Option> All => [hex, base64];

    public EntryEncoding Get(Invocation invocation) => (invocation.Get(hex), invocation.Get(base64)) switch
    {
        (true, true) => throw Usage.Error("--hex and --base64 cannot be combined"),
        (true, _) => EntryEncoding.Hex,
        (_, true) => EntryEncoding.Base64,
        _ => EntryEncoding.Text,
    };

    /// <summary>What somebody typed, as bytes.</summary>
    /// <exception cref="CommandException">It is not in the encoding.</exception>
    public byte[] Parse(Invocation invocation, string text)
    {
        try
        {
            return EntryText.Parse(text, Get(invocation));
        }
        catch (FormatException e)
        {
            throw Usage.Error(e.Message);
        }
    }
}
