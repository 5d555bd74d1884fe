namespace Ashlar.CommandLine;

/// <summary>Words as a POSIX shell reads them.</summary>
static class ShellWord
{
    const string Plain = "@%+=:,./-_";

    /// <summary>The word, in quotes where a shell would make something else of it.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || Plain.Contains(c, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    /// <summary>Words as one line to paste.</summary>
    public static string Join(IEnumerable<string> words) => string.Join(' ', words.Select(Quote));
}
