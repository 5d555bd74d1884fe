using System.Text;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.Entries;

/// <summary>Keys for people: in quotes where they are printable, else in hexadecimal; long ones are cut.</summary>
static class KeyText
{
    const int MaxBytes = 64;

    public static string Of(RangeTombstone range) => $"from {Of(range.Start)} {(range.End is null ? "on" : $"to before {Of(range.End)}")}";

    public static string Of(ReadOnlySpan<byte> key)
    {
        var shown = key[..Math.Min(MaxBytes, key.Length)];
        var text = shown.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E)
            ? "0x" + Convert.ToHexStringLower(shown)
            : $"\"{Encoding.ASCII.GetString(shown)}\"";
        return shown.Length == key.Length ? text : $"{text}... ({key.Length} bytes)";
    }
}
