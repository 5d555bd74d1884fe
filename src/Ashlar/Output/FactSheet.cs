namespace Ashlar.CommandLine;

/// <summary>Facts of one thing: a label, and what it says beside it.</summary>
sealed class FactSheet
{
    const int Gap = 2;

    readonly List<(string Label, string Value)> facts = [];

    public FactSheet Add(string label, string value)
    {
        facts.Add((ScreenText.Of(label), ScreenText.Of(value)));
        return this;
    }

    /// <summary>Writes them, a line or more each.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="style">How labels look.</param>
    /// <param name="width">Of the screen: longer values go on in the next line, below where they begin.</param>
    public void WriteTo(TextWriter writer, Style style, int? width = null)
    {
        var labels = facts.Max(fact => fact.Label.Length);
        foreach (var (label, value) in facts)
        {
            IEnumerable<string> lines = width is { } columns ? TextLayout.Wrap(value, columns, labels + Gap) : [value];
            var begin = $"{style.Dim(label.PadRight(labels))}{new string(' ', Gap)}";
            foreach (var (i, line) in lines.Index()) writer.WriteLine(i == 0 ? $"{begin}{line}" : line);
        }
    }
}
