using System.CommandLine;
using System.Net.Http.Headers;
using System.Text;
using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>
/// Whose files a command works on, and by which key: --customer, --key-file, ASHLAR_KEY, or the first key of the server that is found.
/// </summary>
sealed class FileOptions(Terminal terminal)
{
    /// <summary>The key itself, in the environment only: command lines are seen by others.</summary>
    public const string KeyVariable = "ASHLAR_KEY";

    public const string MainName = "main";

    const int MaxFileBytes = 4096;

    readonly Option<string> customer = Setting.Create(
        terminal, "--customer", "CUSTOMER", "Whose files [default: main]", static text => text, MainName, isInEnvironment: true);

    readonly Option<string?> keyFile = new("--key-file")
    {
        Description = "File with the key, ID:SECRET [default: ASHLAR_KEY, or the first key of the server]",
        HelpName = "FILE",
    };

    public IEnumerable<Option> All => [customer, keyFile];

    /// <summary>Talks to the server about files.</summary>
    public FileClient Connect(Invocation invocation)
    {
        var server = ServerLocator.Find(invocation);
        return new(ApiClient.For(invocation, server, Credentials(invocation, server)), invocation.Get(customer)!);
    }

    AuthenticationHeaderValue Credentials(Invocation invocation, LocatedServer server)
    {
        var key = invocation.Get(keyFile) is { } named ? Read(TypedPath.OfFile(named))
            : terminal.Environment(KeyVariable) is { } given ? Check(given, KeyVariable)
            : server.Announced is { } announced && File($"{announced.DataDirectory}/files/key") is { } own ? Read(own)
            : throw new CommandException(
                ExitCode.PermissionDenied, ProblemTypes.Unauthenticated, "a key is needed, and there is none",
                "name a file that has it by --key-file, or put it into ASHLAR_KEY: ID:SECRET");
        return new("Bearer", key);
    }

    static string? File(string path) => FileSystems.Real.FileExists(path) ? path : null;

    static string Read(string path)
    {
        using var file = FileSystems.Real.Open(path, FileOpenMode.ReadOnly);
        var bytes = new byte[MaxFileBytes];
        return Check(Encoding.UTF8.GetString(bytes, 0, file.Read(bytes, 0)), path);
    }

    static string Check(string text, string source)
    {
        var key = text.Trim();
        return key.IndexOf(':') > 0 && key.All(static c => c is > ' ' and < (char)0x7F)
            ? key
            : throw Usage.Error($"{source} has no key: expected ID:SECRET");
    }
}
