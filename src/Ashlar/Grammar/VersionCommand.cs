using System.Reflection;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar version</c>, and <c>--version</c> after any command.</summary>
static class VersionCommand
{
    const int CommitDigits = 12;

    // "0.1.0+COMMIT", where the build knew the commit.
    static readonly string[] Parts =
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+');

    /// <summary>Version of this program: "0.1.0".</summary>
    public static string Current => Parts[0];

    /// <summary>The commit that the program was built from; null where the build did not know it.</summary>
    public static string? Commit { get; } = Parts is [_, { Length: >= CommitDigits } commit] ? commit[..CommitDigits] : null;

    public static Verb Create() => new(
        "version",
        "Print the version of the program",
        ["ashlar version"],
        invocation =>
        {
            Write(invocation.Terminal.Out, invocation.Format);
            return ExitCode.Ok;
        },
        ServerUse.None);

    public static void Write(TextWriter writer, OutputFormat format)
    {
        var commit = Commit is null ? "" : $",\"commit\":\"{Commit}\"";
        writer.WriteLine(format switch
        {
            OutputFormat.Json => $"{{\"apiVersion\":\"{Api.ApiVersion.Current}\",\"kind\":\"Version\",\"version\":\"{Current}\"{commit}}}",
            OutputFormat.Name => Current,
            _ => Commit is null ? $"ashlar {Current}" : $"ashlar {Current} ({Commit})",
        });
    }
}
