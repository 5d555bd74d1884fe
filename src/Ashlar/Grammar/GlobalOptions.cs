using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>Options that every command takes.</summary>
sealed class GlobalOptions
{
    public GlobalOptions(Terminal terminal)
    {
        Output = Setting.Create(
            terminal,
            "--output",
            "FORMAT",
            "table for people, json for programs, name for loops [default: table]",
            ParseFormat,
            OutputFormat.Table);
        Output.Aliases.Add("-o");
        Data = Setting.Create<string?>(
            terminal, "--data", "DIR", "Data directory [default: ~/.local/share/ashlar]", ParseText, null, isInEnvironment: true);
        Server = Setting.Create<Uri?>(
            terminal,
            "--server",
            "URL",
            "Server to talk to [default: the one of the data directory]",
            ParseServer,
            null,
            isInEnvironment: true);
        Output.Recursive = Data.Recursive = Server.Recursive = true;
    }

    public Option<OutputFormat> Output { get; }

    public Option<string?> Data { get; }

    public Option<Uri?> Server { get; }

    public IEnumerable<Option> All => [Output, Data, Server];

    static string ParseText(string text) =>
        text.Length > 0 && !text.Contains('\0') ? text : throw new FormatException("an empty name");

    static OutputFormat ParseFormat(string text) => text switch
    {
        "table" => OutputFormat.Table,
        "json" => OutputFormat.Json,
        "name" => OutputFormat.Name,
        _ => throw new FormatException($"'{text}' is not a format: expected table, json or name"),
    };

    static Uri ParseServer(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0
            ? uri
            : throw new FormatException($"'{text}' is not the address of a server: expected http://HOST:PORT");
}
