using System.Globalization;
using System.Reflection;

namespace Ashlar.Files;

/// <summary>What Unicode says of characters that can be written in several ways: <c>canonical-forms.txt</c>.</summary>
/// <remarks>The program is built without the tables of a library, which differ from machine to machine; a name must not.</remarks>
sealed class CanonicalForms
{
    static readonly Lazy<CanonicalForms> Table = new(Read);

    readonly Dictionary<int, byte> classes = [];
    readonly Dictionary<int, int[]> parts = [];
    readonly Dictionary<(int First, int Second), int> composites = [];

    /// <summary>The table; read when a name first needs it.</summary>
    public static CanonicalForms All => Table.Value;

    /// <summary>The combining class: marks of different classes are sorted by it; 0 for what begins anew.</summary>
    public byte ClassOf(int point) => classes.GetValueOrDefault(point);

    /// <summary>What a character is made of, which may be made of others; empty if it is of one piece.</summary>
    public ReadOnlySpan<int> PartsOf(int point) => parts.GetValueOrDefault(point);

    /// <summary>The character that two make; null if they make none.</summary>
    public int? Compose(int first, int second) => composites.TryGetValue((first, second), out var composite) ? composite : null;

    static CanonicalForms Read()
    {
        var table = new CanonicalForms();
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream("canonical-forms.txt");
        using var lines = new StreamReader(resource ?? throw new InvalidOperationException("The table of canonical forms is not there."));
        while (lines.ReadLine() is { } line)
        {
            if (!line.StartsWith('#')) table.Add(line);
        }

        return table;
    }

    void Add(string line)
    {
        if (line.Split(':') is [var range, var number])
        {
            var ends = range.Split('-');
            for (var point = Point(ends[0]); point <= Point(ends[1]); point++)
                classes[point] = byte.Parse(number, CultureInfo.InvariantCulture);
            return;
        }

        var isComposed = line.Contains('=', StringComparison.Ordinal);
        var (whole, made) = line.Split(isComposed ? '=' : '>') is [var left, var right]
            ? (Point(left), right)
            : throw new FormatException(line);
        parts[whole] = [.. made.Split('+').Select(Point)];
        if (isComposed) composites[(parts[whole][0], parts[whole][1])] = whole;
    }

    static int Point(string hexadecimal) => int.Parse(hexadecimal, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
