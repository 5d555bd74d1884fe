using System.Globalization;
using System.Text;

namespace Ashlar.CommandLine;

/// <summary>Bytes for people: sixteen a line with their offset; of equal lines in a row the first and a '*'.</summary>
sealed class HexDump(TextWriter writer, long startBytes)
{
    const int LineBytes = 16;

    readonly byte[] last = new byte[LineBytes];
    long offsetBytes = startBytes;
    bool hasLast;
    bool isSkipping;

    /// <summary>Writes what follows. Only the last part may end within a line.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        for (; !bytes.IsEmpty; bytes = bytes[Math.Min(LineBytes, bytes.Length)..])
        {
            var line = bytes[..Math.Min(LineBytes, bytes.Length)];
            if (hasLast && line.SequenceEqual(last))
            {
                if (!isSkipping) writer.WriteLine('*');
                isSkipping = true;
            }
            else
            {
                WriteLine(line);
                isSkipping = false;
                hasLast = line.Length == LineBytes;
                if (hasLast) line.CopyTo(last);
            }
            offsetBytes += line.Length;
        }
    }

    /// <summary>Writes the offset of the end.</summary>
    public void End() => writer.WriteLine(Offset());

    void WriteLine(ReadOnlySpan<byte> line)
    {
        var text = new StringBuilder(Offset(), 80).Append(' ');
        for (var i = 0; i < LineBytes; i++)
        {
            if (i == LineBytes / 2) text.Append(' ');
            if (i < line.Length) text.Append(CultureInfo.InvariantCulture, $" {line[i]:x2}");
            else text.Append("   ");
        }
        text.Append("  |");
        foreach (var value in line) text.Append(value is >= 0x20 and < 0x7F ? (char)value : '.');
        writer.WriteLine(text.Append('|'));
    }

    string Offset() => offsetBytes.ToString("x8", CultureInfo.InvariantCulture);
}
