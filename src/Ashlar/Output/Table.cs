namespace Ashlar.CommandLine;

/// <summary>Rows in aligned columns, two blanks apart. Numbers stand to the right.</summary>
sealed class Table(params Column[] columns)
{
    const int Gap = 2;

    // A name is not squeezed into less than this: what stands right of it moves to a line of its own.
    const int LeastNameWidth = 12;

    // Nor is text that goes on in the next line.
    const int LeastTextWidth = 20;

    readonly List<string[]> rows = [];

    public Table Row(params string[] cells)
    {
        Storage.Invariant.Require(cells.Length == columns.Length);
        rows.Add([.. cells.Select(ScreenText.Of)]);
        return this;
    }

    /// <summary>Columns of the screen that it takes, when the longest name counts for no more than a short one.</summary>
    public int LeastWidth => Widths().Select(LeastWidthOf).Sum() + ((columns.Length - 1) * Gap);

    /// <summary>Writes headings and rows.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="style">How headings look.</param>
    /// <param name="width">
    /// Of the screen. What does not fit is left out: columns by their rank. Text goes on in the next line. A name that would push
    /// the other columns over its edge stands on a line of its own, as in df(1), so that one long name does not make all lines long.
    /// </param>
    /// <param name="hasHeadings">Whether the first line names the columns.</param>
    public void WriteTo(TextWriter writer, Style style, int? width = null, bool hasHeadings = true)
    {
        if (LeastWidth > width && columns.Max(column => column.Rank) is > 0 and var rank)
        {
            Without(Array.FindIndex(columns, column => column.Rank == rank)).WriteTo(writer, style, width, hasHeadings);
            return;
        }
        var widths = width is { } screen ? Fit(Widths(), screen) : Widths();
        if (hasHeadings) writer.WriteLine(style.Bold(Line(columns.Select(column => column.Title).ToArray(), widths)));
        foreach (var row in rows)
        {
            var lines = Lines(row, widths);
            if (row[0].Length > widths[0] && !columns[0].Wraps)
            {
                writer.WriteLine(row[0]);
                lines[0][0] = "";
                if (row.Length == 1) continue;
            }
            foreach (var line in lines) writer.WriteLine(Line(line, widths));
        }
    }

    int LeastWidthOf(int width, int column) =>
        columns[column].Wraps ? Math.Min(width, Math.Max(LeastTextWidth, columns[column].Title.Length))
        : column == 0 ? Math.Min(width, Math.Max(LeastNameWidth, columns[0].Title.Length))
        : width;

    int[] Fit(int[] widths, int screen)
    {
        foreach (var i in Enumerable.Range(0, columns.Length).OrderBy(i => columns[i].Wraps ? 0 : 1))
        {
            if (columns[i].IsNumber || (i != 0 && !columns[i].Wraps)) continue;
            var room = screen - (widths.Sum() - widths[i] + ((columns.Length - 1) * Gap));
            widths[i] = Math.Min(widths[i], Math.Max(room, LeastWidthOf(widths[i], i)));
        }
        return widths;
    }

    // Of a row, as many lines as its longest text takes.
    List<string[]> Lines(string[] row, int[] widths)
    {
        var cells = row.Select((cell, i) => columns[i].Wraps ? TextLayout.Wrap(cell, widths[i]).ToArray() : [cell]).ToArray();
        return [.. Enumerable.Range(0, cells.Max(lines => lines.Length))
            .Select(line => cells.Select(lines => line < lines.Length ? lines[line] : "").ToArray())];
    }

    Table Without(int column)
    {
        var narrower = new Table([.. columns.Where((_, i) => i != column)]);
        foreach (var row in rows) narrower.Row([.. row.Where((_, i) => i != column)]);
        return narrower;
    }

    int[] Widths() => [.. columns.Select((column, i) => rows.Select(row => row[i].Length).Append(column.Title.Length).Max())];

    string Line(string[] cells, int[] widths) => string.Join(new string(' ', Gap), cells.Select((cell, i) =>
        columns[i].IsNumber ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]))).TrimEnd();
}

/// <summary>A column of a <see cref="Table"/>.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="IsNumber">Whether its cells stand to the right.</param>
/// <param name="Rank">Columns with the highest go first where a screen is too narrow; 0 always stays.</param>
/// <param name="Wraps">Whether its cells are text, which may go on in the next line.</param>
readonly record struct Column(string Title, bool IsNumber = false, int Rank = 0, bool Wraps = false)
{
    public static implicit operator Column(string title) => new(title);

    /// <summary>A column whose cells stand to the right.</summary>
    public static Column Number(string title, int rank = 0) => new(title, IsNumber: true, rank);

    /// <summary>A column of text.</summary>
    public static Column Text(string title) => new(title, Wraps: true);
}
