using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Ashlar.Files;

/// <summary>Which storage node: a number that the node keeps beside its blocks, chosen by chance when it is set up. 0 is none.</summary>
/// <param name="Value">The number.</param>
public readonly record struct NodeId(ulong Value) : IComparable<NodeId>
{
    const int Digits = 16;

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out NodeId id)
    {
        id = default;
        if (text?.Length != Digits || !ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            return false;
        id = new(value);
        return true;
    }

    /// <summary>Compares the numbers.</summary>
    public int CompareTo(NodeId other) => Value.CompareTo(other.Value);

    /// <summary>16 lower-case hexadecimal digits.</summary>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Whether one sorts before the other.</summary>
    public static bool operator <(NodeId left, NodeId right) => left.CompareTo(right) < 0;

    /// <summary>Whether one sorts before the other or is it.</summary>
    public static bool operator <=(NodeId left, NodeId right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one sorts after the other.</summary>
    public static bool operator >(NodeId left, NodeId right) => left.CompareTo(right) > 0;

    /// <summary>Whether one sorts after the other or is it.</summary>
    public static bool operator >=(NodeId left, NodeId right) => left.CompareTo(right) >= 0;
}
