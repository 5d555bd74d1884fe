namespace Ashlar.CommandLine;

/// <summary>Paths of files and directories as they stand on a command line.</summary>
static class TypedPath
{
    /// <summary>The whole path of a file.</summary>
    /// <exception cref="CommandException">It is none: empty, say, as a variable of a script leaves it that was not set.</exception>
    public static string OfFile(string text) => Of(text, "file");

    /// <summary>The whole path of a directory, without a slash at its end.</summary>
    /// <exception cref="CommandException">As of <see cref="OfFile"/>.</exception>
    public static string OfDirectory(string text) => Path.TrimEndingDirectorySeparator(Of(text, "directory"));

    /// <summary>Whether it can be the path of anything.</summary>
    public static bool IsOne(string text) => text.Length > 0 && !text.Contains('\0');

    static string Of(string text, string kind) =>
        IsOne(text) ? Path.GetFullPath(text) : throw Usage.Error($"'{text}' is not the path of a {kind}");
}
