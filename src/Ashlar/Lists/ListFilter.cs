using System.IO.Enumeration;

namespace Ashlar.CommandLine;

/// <summary>
/// A condition on the items of a list: <c>size>=10GiB</c>, <c>name=db-*</c>; a value alone is one of the first column: a pattern of names.
/// </summary>
sealed class ListFilter<T>
{
    // Of two that begin alike the longer first.
    static readonly string[] Operators = ["!=", ">=", "<=", "=", ">", "<"];

    readonly ListColumn<T> column;
    readonly string comparison;
    readonly object wanted;

    ListFilter(ListColumn<T> column, string comparison, object wanted)
    {
        this.column = column;
        this.comparison = comparison;
        this.wanted = wanted;
    }

    /// <summary>Reads a condition.</summary>
    /// <exception cref="FormatException">There is no such column, or the value is none of it.</exception>
    public static ListFilter<T> Parse(string text, IReadOnlyList<ListColumn<T>> columns)
    {
        var found = Operators
            .Select(sign => (Sign: sign, At: text.IndexOf(sign, StringComparison.Ordinal)))
            .Where(place => place.At > 0)
            .OrderBy(place => place.At)
            .FirstOrDefault();
        if (found.Sign is null) return new(columns[0], "=", columns[0].Parse(text));
        var column = ListOptions<T>.Find(text[..found.At].Trim(), columns);
        if (column.Kind == ColumnKind.Text && found.Sign is not ("=" or "!="))
            throw new FormatException($"'{text}': {column.Name} is compared by = and !=");
        return new(column, found.Sign, column.Parse(text[(found.At + found.Sign.Length)..].Trim()));
    }

    public bool Holds(T item)
    {
        var value = column.Value(item);
        if (wanted is string pattern)
            return FileSystemName.MatchesSimpleExpression(pattern, value as string ?? "", ignoreCase: true) == (comparison == "=");
        if (value is null) return comparison == "!=";
        var order = ListColumn<T>.Compare(value, wanted);
        return comparison switch
        {
            "=" => order == 0,
            "!=" => order != 0,
            ">" => order > 0,
            "<" => order < 0,
            ">=" => order >= 0,
            _ => order <= 0,
        };
    }
}
