namespace Ashlar.CommandLine;

/// <summary>Facts of one thing, a line each: a label, and what it says.</summary>
sealed class FactSheet
{
    readonly List<(string Label, string Value)> facts = [];

    public FactSheet Add(string label, string value)
    {
        facts.Add((label, value));
        return this;
    }

    public void WriteTo(TextWriter writer, Style style)
    {
        var width = facts.Max(fact => fact.Label.Length);
        foreach (var (label, value) in facts) writer.WriteLine($"{style.Dim(label.PadRight(width))}  {value}");
    }
}
