using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>Options that every command takes.</summary>
sealed class GlobalOptions
{
    public const string DataName = "--data";
    public const string ServerName = "--server";

    /// <summary>What some programs call <c>-v</c>.</summary>
    public const string HiddenVersionAlias = "-V";

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
        Output.CompletionSources.Add("table", "json", "name");
        Data = Setting.Create<string?>(
            terminal, DataName, "DIR", "Data directory [default: ~/.local/share/ashlar]", ParseText, null, isInEnvironment: true);
        Server = Setting.Create<Uri?>(
            terminal,
            ServerName,
            "URL",
            "Server to talk to [default: the one of the data directory]",
            ParseServer,
            null,
            isInEnvironment: true);
        foreach (var option in All) option.Recursive = true;
    }

    public Option<OutputFormat> Output { get; }

    public Option<bool> Quiet { get; } =
        new("--quiet", "-q") { Description = "Only names from what lists and shows, nothing from what changes something" };

    public Option<string?> Data { get; }

    public Option<Uri?> Server { get; }

    public Option<bool> Version { get; } = new("--version", "-v", HiddenVersionAlias) { Description = "Show the version" };

    public IEnumerable<Option> All => [Output, Quiet, Data, Server, Version];


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
