namespace Ashlar.CommandLine;

/// <summary>Rows in aligned columns, two blanks apart. Numbers stand to the right.</summary>
sealed class Table(params Column[] columns)
{
    const int Gap = 2;

    // A name is not squeezed into less than this: what stands right of it moves to a line of its own.
    const int LeastNameWidth = 12;

    readonly List<string[]> rows = [];

    public Table Row(params string[] cells)
    {
        Storage.Invariant.Require(cells.Length == columns.Length);
        rows.Add(cells);
        return this;
    }

    /// <summary>Columns of the screen that it takes, when the longest name counts for no more than a short one.</summary>
    public int LeastWidth
    {
        get
        {
            var widths = Widths();
            var name = Math.Min(widths[0], Math.Max(LeastNameWidth, columns[0].Title.Length));
            return name + widths[1..].Sum() + ((columns.Length - 1) * Gap);
        }
    }

    /// <summary>Writes headings and rows.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="style">How headings look.</param>
    /// <param name="width">
    /// Of the screen. A name that would push the other columns over its edge stands on a line of its own, as in df(1), so that
    /// one long name does not make all lines long.
    /// </param>
    /// <param name="hasHeadings">Whether the first line names the columns.</param>
    public void WriteTo(TextWriter writer, Style style, int? width = null, bool hasHeadings = true)
    {
        var widths = Widths();
        if (width is { } screen && !columns[0].IsNumber)
        {
            var room = screen - (widths.Sum() - widths[0] + ((columns.Length - 1) * Gap));
            widths[0] = Math.Min(widths[0], Math.Max(room, Math.Max(LeastNameWidth, columns[0].Title.Length)));
        }
        if (hasHeadings) writer.WriteLine(style.Bold(Line(columns.Select(column => column.Title).ToArray(), widths)));
        foreach (var row in rows)
        {
            if (row[0].Length <= widths[0])
            {
                writer.WriteLine(Line(row, widths));
                continue;
            }
            writer.WriteLine(row[0]);
            if (row.Length > 1) writer.WriteLine(Line(["", .. row[1..]], widths));
        }
    }

    int[] Widths() => [.. columns.Select((column, i) => rows.Select(row => row[i].Length).Append(column.Title.Length).Max())];

    string Line(string[] cells, int[] widths) => string.Join(new string(' ', Gap), cells.Select((cell, i) =>
        columns[i].IsNumber ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]))).TrimEnd();
}

/// <summary>A column of a <see cref="Table"/>.</summary>
readonly record struct Column(string Title, bool IsNumber = false)
{
    public static implicit operator Column(string title) => new(title);

    /// <summary>A column whose cells stand to the right.</summary>
    public static Column Number(string title) => new(title, IsNumber: true);
}
