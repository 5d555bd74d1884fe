using System.Text;

namespace Ashlar.S3;

/// <summary>Where a listing goes on: behind a key, or behind all that a common prefix stands for.</summary>
readonly record struct ListToken(string Name, bool IsPrefix)
{
    const int MaxLength = 4096;
    const byte Key = 1, Prefix = 2;

    /// <summary>As clients get it, who know nothing of what it says.</summary>
    public override string ToString() => Convert.ToBase64String([IsPrefix ? Prefix : Key, .. Encoding.UTF8.GetBytes(Name)]);

    /// <summary>Reads one. A forged one begins elsewhere in what may be listed anyway.</summary>
    /// <exception cref="S3Exception">It is none.</exception>
    public static ListToken Parse(string text)
    {
        var bytes = new byte[MaxLength];
        if (text.Length > MaxLength || !Convert.TryFromBase64String(text, bytes, out var length) || length < 1
            || bytes[0] is not (Key or Prefix))
            throw S3Error.InvalidArgument.Because("The continuation token is none that was given here.");
        return new(Encoding.UTF8.GetString(bytes.AsSpan(1, length - 1)), bytes[0] == Prefix);
    }
}
