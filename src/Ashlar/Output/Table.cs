namespace Ashlar.CommandLine;

/// <summary>Rows in aligned columns, two blanks apart. Numbers stand to the right.</summary>
sealed class Table(params Column[] columns)
{
    readonly List<string[]> rows = [];

    public Table Row(params string[] cells)
    {
        Storage.Invariant.Require(cells.Length == columns.Length);
        rows.Add(cells);
        return this;
    }

    public void WriteTo(TextWriter writer, Style style)
    {
        var widths = columns.Select((column, i) => rows.Select(row => row[i].Length).Append(column.Title.Length).Max()).ToArray();
        writer.WriteLine(style.Bold(Line(columns.Select(column => column.Title).ToArray(), widths)));
        foreach (var row in rows) writer.WriteLine(Line(row, widths));
    }

    string Line(string[] cells, int[] widths) => string.Join("  ", cells.Select((cell, i) =>
        columns[i].IsNumber ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]))).TrimEnd();
}

/// <summary>A column of a <see cref="Table"/>.</summary>
readonly record struct Column(string Title, bool IsNumber = false)
{
    public static implicit operator Column(string title) => new(title);

    /// <summary>A column whose cells stand to the right.</summary>
    public static Column Number(string title) => new(title, IsNumber: true);
}
