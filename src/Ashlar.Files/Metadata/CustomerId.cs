using System.Globalization;

namespace Ashlar.Files;

/// <summary>Whose files: everything but the storage nodes is apart for each customer, blocks included.</summary>
/// <param name="Value">A number that is given once.</param>
public readonly record struct CustomerId(ulong Value) : IComparable<CustomerId>
{
    /// <summary>Compares the numbers.</summary>
    public int CompareTo(CustomerId other) => Value.CompareTo(other.Value);

    /// <summary>The number.</summary>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether one sorts before the other.</summary>
    public static bool operator <(CustomerId left, CustomerId right) => left.CompareTo(right) < 0;

    /// <summary>Whether one sorts before the other or is it.</summary>
    public static bool operator <=(CustomerId left, CustomerId right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one sorts after the other.</summary>
    public static bool operator >(CustomerId left, CustomerId right) => left.CompareTo(right) > 0;

    /// <summary>Whether one sorts after the other or is it.</summary>
    public static bool operator >=(CustomerId left, CustomerId right) => left.CompareTo(right) >= 0;
}
