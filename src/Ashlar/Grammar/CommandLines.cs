namespace Ashlar.CommandLine;

/// <summary>Command lines for people to paste: begun as this user begins them, and for the server that this user talks to.</summary>
/// <param name="program">How the program is started.</param>
/// <param name="serverOptions">What says which server is meant: " --data DIR", " --server URL", or nothing.</param>
sealed class CommandLines(string program, string serverOptions = "")
{
    /// <summary>The options that say which server is meant, as far as they are given.</summary>
    public static string ServerOptions(string? data, Uri? server) =>
        (data is null ? "" : $" --data {ShellWord.Quote(data)}")
        + (server is null ? "" : $" --server {ShellWord.Quote(server.OriginalString)}");

    /// <summary>A command that talks to no server, or names its own.</summary>
    public string Of(string words) => $"{program} {words}";

    /// <summary>A command for the same server.</summary>
    public string OfServer(string words) => $"{program} {words}{serverOptions}";

    /// <summary>A text in which commands are quoted, as 'ashlar volume show', with them as this user types them.</summary>
    public string InText(string text) =>
        ScreenText.Of(text).Replace($"'{ProgramName.Installed} ", $"'{program} ", StringComparison.Ordinal);

    /// <summary>An example, which begins with "ashlar".</summary>
    public string OfExample(string example) =>
        example.StartsWith($"{ProgramName.Installed} ", StringComparison.Ordinal)
            ? Of(example[(ProgramName.Installed.Length + 1)..])
            : example;
}
