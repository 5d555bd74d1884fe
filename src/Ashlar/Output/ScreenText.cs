namespace Ashlar.CommandLine;

/// <summary>Text from elsewhere, as it may stand on a screen: it neither ends its line nor tells the terminal what to do.</summary>
static class ScreenText
{
    const char Replacement = '?';

    // Of Unicode, what ends lines, and what turns the direction of writing.
    const string Others = "\u2028\u2029\u200E\u200F\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069";

    /// <summary>The text, with a question mark for each control character.</summary>
    public static string Of(string text) => text.Any(IsControl)
        ? string.Create(text.Length, text, (screen, from) =>
        {
            for (var i = 0; i < screen.Length; i++) screen[i] = IsControl(from[i]) ? Replacement : from[i];
        })
        : text;

    static bool IsControl(char c) => char.IsControl(c) || Others.Contains(c, StringComparison.Ordinal);
}
