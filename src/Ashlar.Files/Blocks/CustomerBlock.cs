using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Ashlar.Files;

/// <summary>
/// A block of a customer. Everywhere, on nodes as well: two customers who store the same content have two blocks, and what is done to the
/// one does nothing to the other.
/// </summary>
/// <param name="Customer">Whose.</param>
/// <param name="Name">Which.</param>
public readonly record struct CustomerBlock(CustomerId Customer, BlockName Name) : IComparable<CustomerBlock>
{
    const int CustomerDigits = 16;

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out CustomerBlock block)
    {
        block = default;
        if (text is null || text.Length <= CustomerDigits || text[^(CustomerDigits + 1)] != '.'
            || !BlockName.TryParse(text[..^(CustomerDigits + 1)], out var name)
            || !ulong.TryParse(
                text.AsSpan(text.Length - CustomerDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var customer))
            return false;
        block = new(new CustomerId(customer), name);
        return true;
    }

    /// <summary>Compares by name, then by customer: the order in which nodes list what they have.</summary>
    public int CompareTo(CustomerBlock other) =>
        Name.CompareTo(other.Name) is var order and not 0 ? order : Customer.CompareTo(other.Customer);

    /// <summary>The name, a point, and 16 lower-case hexadecimal digits of the customer: the name of its file on a node.</summary>
    public override string ToString() => $"{Name}.{Customer.Value:x16}";

    /// <summary>Whether one sorts before the other.</summary>
    public static bool operator <(CustomerBlock left, CustomerBlock right) => left.CompareTo(right) < 0;

    /// <summary>Whether one sorts before the other or is it.</summary>
    public static bool operator <=(CustomerBlock left, CustomerBlock right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one sorts after the other.</summary>
    public static bool operator >(CustomerBlock left, CustomerBlock right) => left.CompareTo(right) > 0;

    /// <summary>Whether one sorts after the other or is it.</summary>
    public static bool operator >=(CustomerBlock left, CustomerBlock right) => left.CompareTo(right) >= 0;
}
