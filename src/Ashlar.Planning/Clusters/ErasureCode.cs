using System.Globalization;

namespace Ashlar.Planning;

/// <summary>
/// A file is cut into parts of data, from which parts of parity are computed; any <see cref="Data"/> of all are enough to read it.
/// </summary>
/// <param name="Data">Parts of data.</param>
/// <param name="Parity">Parts of parity: how many may be missing.</param>
public sealed record ErasureCode(int Data, int Parity)
{
    const int MostParts = 100;

    /// <summary>All parts, each on a node of its own.</summary>
    public int Pieces => Data + Parity;

    /// <summary>Reads "8+4".</summary>
    /// <exception cref="FormatException">It is no code; the message says why.</exception>
    public static ErasureCode Parse(string text)
    {
        var parts = text.Split('+');
        if (parts.Length != 2) throw Numeral.Invalid(text, "an erasure code", "write parts of data and of parity, such as 8+4");
        return new(ReadPart(text, parts[0], "data"), ReadPart(text, parts[1], "parity"));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Data}+{Parity}");

    static int ReadPart(string text, string part, string what) =>
        int.TryParse(part.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is > 0 and <= MostParts
            ? count
            : throw Numeral.Invalid(text, "an erasure code", $"expected 1 to {MostParts} parts of {what}");
}
