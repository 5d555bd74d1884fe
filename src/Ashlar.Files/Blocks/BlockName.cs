using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Ashlar.Files;

/// <summary>
/// One incarnation of a block: what it holds, and of which generation it is. Content that is deleted and uploaded again gets another
/// generation, so that a late order to remove the old one cannot hit the new one.
/// </summary>
/// <param name="Hash">What the block holds.</param>
/// <param name="Generation">Drawn by the metadata store when the content is pinned and not known; none is drawn twice.</param>
public readonly record struct BlockName(ContentHash Hash, ulong Generation) : IComparable<BlockName>
{
    const int HashDigits = 2 * ContentHash.SizeBytes, GenerationDigits = 16;

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out BlockName name)
    {
        name = default;
        if (text?.Length != HashDigits + 1 + GenerationDigits
            || text[HashDigits] != '.'
            || !ContentHash.TryParse(text[..HashDigits], out var hash)
            || !ulong.TryParse(
                text.AsSpan(HashDigits + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var generation))
            return false;
        name = new(hash, generation);
        return true;
    }

    /// <summary>Compares by hash, then by generation.</summary>
    public int CompareTo(BlockName other) =>
        Hash.CompareTo(other.Hash) is var order and not 0 ? order : Generation.CompareTo(other.Generation);

    /// <summary>The hash, a point, and 16 lower-case hexadecimal digits of the generation: the name of its file on a node.</summary>
    public override string ToString() => $"{Hash}.{Generation:x16}";

    /// <summary>Whether one sorts before the other.</summary>
    public static bool operator <(BlockName left, BlockName right) => left.CompareTo(right) < 0;

    /// <summary>Whether one sorts before the other or is it.</summary>
    public static bool operator <=(BlockName left, BlockName right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one sorts after the other.</summary>
    public static bool operator >(BlockName left, BlockName right) => left.CompareTo(right) > 0;

    /// <summary>Whether one sorts after the other or is it.</summary>
    public static bool operator >=(BlockName left, BlockName right) => left.CompareTo(right) >= 0;
}
