namespace Ashlar.CommandLine;

/// <summary>Text that fits a terminal: broken between words only, the lines after the first indented.</summary>
static class TextLayout
{
    /// <summary>What is not a terminal is taken to be as wide as this.</summary>
    public const int DefaultWidth = 120;

    // Narrower than this beside an indentation, text is a column of single words.
    const int LeastWidth = 20;

    /// <summary>The lines of a text.</summary>
    /// <param name="text">One paragraph.</param>
    /// <param name="width">Columns of a line. A longer word stands alone on its line, unbroken.</param>
    /// <param name="indent">Columns that are taken already: before the first line by what stands there, before others by blanks.</param>
    public static IEnumerable<string> Wrap(string text, int width, int indent = 0)
    {
        var room = Math.Max(width - indent, LeastWidth);
        var line = "";
        var before = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > room)
            {
                yield return before + line;
                before = new string(' ', indent);
                line = word;
                continue;
            }
            line = line.Length == 0 ? word : $"{line} {word}";
        }
        yield return before + line;
    }
}
