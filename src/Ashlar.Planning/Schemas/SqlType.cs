using System.Globalization;

namespace Ashlar.Planning;

/// <summary>What a value of a SQL type takes in a row, as PostgreSQL stores it (without alignment).</summary>
/// <param name="Name">As it was written, in small letters: "numeric(12,2)".</param>
/// <param name="FixedBytes">Null if it depends on the value.</param>
/// <param name="MostBytes">The longest content that a limit such as varchar(20) allows; null without one.</param>
public readonly record struct SqlType(string Name, int? FixedBytes, int? MostBytes)
{
    static readonly Dictionary<string, int> Fixed = new (int Bytes, string[] Names)[]
    {
        (1, ["boolean", "bool", "tinyint"]),
        (2, ["smallint", "int2", "smallserial"]),
        (3, ["mediumint"]),
        (4, ["integer", "int", "int4", "serial", "real", "float4", "date", "enum"]),
        (6, ["macaddr"]),
        (8, ["bigint", "int8", "bigserial", "double", "double precision", "float", "float8", "money", "time", "datetime"]),
        (8, ["timestamp", "timestamptz", "timestamp with time zone", "timestamp without time zone"]),
        (12, ["timetz"]),
        (16, ["uuid", "interval", "point"]),
    }
        .SelectMany(size => size.Names, (size, name) => (size.Bytes, name))
        .ToDictionary(type => type.name, type => type.Bytes, StringComparer.Ordinal);

    static readonly string[] Variable =
        [
            "text", "varchar", "character varying", "nvarchar", "bytea", "blob", "varbinary", "json", "jsonb", "xml", "hstore", "inet",
            "cidr", "numeric", "decimal",
        ];

    /// <summary>Reads "bigint", "varchar(20)", "numeric(12,2)".</summary>
    /// <exception cref="FormatException">The type is not known.</exception>
    public static SqlType Parse(string text)
    {
        var name = string.Join(' ', text.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var open = name.IndexOf('(', StringComparison.Ordinal);
        var bare = open < 0 ? name : name[..open].TrimEnd();
        var sizes = open < 0 ? [] : ReadSizes(text, name[open..]);
        if (Fixed.TryGetValue(bare, out var bytes)) return new(name, bytes, null); // timestamp(3), int(11)
        return (bare, sizes) switch
        {
            ("numeric" or "decimal", [var precision]) => new(name, Numeric(text, precision, 0), null),
            ("numeric" or "decimal", [var precision, var scale]) => new(name, Numeric(text, precision, scale), null),
            ("char" or "character" or "bpchar", []) => new(name, Header(1) + 1, null),
            ("char" or "character" or "bpchar", [var length]) => new(name, Header(length) + length, null),
            ("binary", [var length]) => new(name, Header(length) + length, null),
            ("vector", [var dimensions]) when dimensions <= 16_000 => new(name, 8 + (4 * dimensions), null),
            (_, []) when Variable.Contains(bare) => new(name, null, null),
            ("varchar" or "character varying" or "nvarchar" or "varbinary", [var most]) => new(name, null, most),
            _ => throw new FormatException(
                $"'{text}' is no SQL type that is known here; known are {string.Join(", ", KnownNames())}"),
        };
    }

    /// <summary>Bytes of a value with content of that length: a header of 1 byte up to 126, of 4 beyond.</summary>
    public static decimal BytesOf(decimal contentBytes) => contentBytes + Header(contentBytes);

    static int Header(decimal contentBytes) => contentBytes <= 126 ? 1 : 4;

    // Groups of four decimal digits of two bytes each, before the point and after it, and 3 bytes of headers.
    static int Numeric(string text, int precision, int scale)
    {
        if (precision > 1000 || scale > precision)
            throw new FormatException($"'{text}' is no SQL type: numeric takes a precision of 1 to 1000, and a scale up to it");
        return 3 + (2 * ((precision - scale + 3) / 4)) + (2 * ((scale + 3) / 4));
    }

    static int[] ReadSizes(string text, string parentheses)
    {
        var isClosed = parentheses.EndsWith(')');
        var parts = isClosed ? parentheses[1..^1].Split(',', StringSplitOptions.TrimEntries) : [];
        var sizes = new List<int>();
        foreach (var part in parts)
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
                || (size == 0 && sizes.Count == 0)
                || size > 1 << 30)
                isClosed = false;
            sizes.Add(size);
        }

        return isClosed && parts.Length <= 2
            ? [.. sizes]
            : throw new FormatException($"'{text}' is no SQL type: expected sizes such as (20) or (12,2)");
    }

    static IEnumerable<string> KnownNames() => Variable
        .Concat(Fixed.Keys)
        .Concat(["char(n)", "binary(n)", "vector(n)"])
        .Where(known => !known.Contains(' ', StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);
}
