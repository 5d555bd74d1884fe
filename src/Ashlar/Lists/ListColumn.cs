using System.Globalization;

namespace Ashlar.CommandLine;

/// <summary>A column of a list: what it is called in options, and what it says of an item.</summary>
/// <param name="Name">In <c>--columns</c>, <c>--sort</c> and <c>--filter</c>; in capitals it is the heading.</param>
/// <param name="Kind">How values are written, read and ordered.</param>
/// <param name="Value">A string, a long, a double, a moment, or null where the item has none.</param>
/// <param name="Rank">Columns with the highest go first where a terminal is too narrow; 0 always stays. Null: only when asked for.</param>
sealed record ListColumn<T>(string Name, ColumnKind Kind, Func<T, object?> Value, int? Rank)
{
    public Column Heading => new(Name.ToUpperInvariant(), Kind is ColumnKind.Size or ColumnKind.Count or ColumnKind.Percent);

    public string Text(T item) => Value(item) switch
    {
        null => "-",
        long bytes when Kind == ColumnKind.Size => ByteSize.Format(bytes),
        double percent => string.Create(CultureInfo.InvariantCulture, $"{percent:F1} %"),
        DateTimeOffset time when Kind == ColumnKind.ExactTime => CommitTimes.Format(time),
        DateTimeOffset time => Timestamp.Format(time),
        var value => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>A value as somebody types it.</summary>
    /// <exception cref="FormatException">It is none of this column.</exception>
    public object Parse(string text) => Kind switch
    {
        ColumnKind.Size => ByteSize.Parse(text),
        ColumnKind.Count when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) => count,
        ColumnKind.Percent when double.TryParse(
            text.AsSpan().TrimEnd('%').TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) => percent,
        ColumnKind.Time or ColumnKind.ExactTime => Timestamp.Parse(text),
        ColumnKind.Text => text,
        _ => throw new FormatException($"'{text}' is not a number"),
    };

    /// <summary>The order of two items; those without a value come first.</summary>
    public int Compare(T a, T b) => Compare(Value(a), Value(b));

    public static int Compare(object? a, object? b) => (a, b) switch
    {
        (string first, string second) => NaturalOrder.Instance.Compare(first, second),
        _ => System.Collections.Comparer.Default.Compare(a, b),
    };
}

/// <summary>What a column holds.</summary>
enum ColumnKind
{
    Text = 0,

    /// <summary>Bytes.</summary>
    Size,

    Count,

    Percent,

    Time,

    /// <summary>To the microsecond, as commits are named.</summary>
    ExactTime,
}
