using System.Reflection;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar version</c>.</summary>
static class VersionCommand
{
    /// <summary>Version of this program: "0.1.0".</summary>
    public static string Current { get; } =
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static Verb Create() => new("version", "Print the version of the program", ["ashlar version"], invocation =>
    {
        invocation.Terminal.Out.WriteLine(invocation.Format == OutputFormat.Json
            ? $$"""{"apiVersion":"{{Api.ApiVersion.Current}}","kind":"Version","version":"{{Current}}"}"""
            : invocation.Format == OutputFormat.Name ? Current : $"ashlar {Current}");
        return ExitCode.Ok;
    });
}
