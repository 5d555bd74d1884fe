using System.Diagnostics;

namespace Ashlar.Documents.Tests;

/// <summary>
/// Somebody who has a clean clone and types what a document says, in a copy of the machine. Whatever is left over there is gone afterwards.
/// </summary>
sealed class Newcomer : IDisposable
{
    static readonly TimeSpan LongestCommand = TimeSpan.FromMinutes(10);

    readonly MachineCopy machine;
    readonly Dictionary<string, string> environment;
    readonly string directory;
    RunningServer? server;

    /// <param name="directory">Where everything is typed; null: in the clone.</param>
    public Newcomer(string? directory = null)
    {
        this.directory = directory ?? Repository.Root;
        var dotnet = Path.GetDirectoryName(ResolveLink(ExternalTool.Find("dotnet")!))!;
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? $"{Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)}/.nuget/packages";
        string[] directories = [Repository.Root, dotnet, packages];
        machine = MachineCopy.Create([.. directories.Where(Directory.Exists)]);
        environment = new(Environments.Plain, StringComparer.Ordinal)
        {
            ["HOME"] = Home,
            ["PATH"] = $"{Home}/bin:{dotnet}:{Environments.Plain["PATH"]}",
            ["NUGET_PACKAGES"] = packages,
            ["DOTNET_ROOT"] = dotnet,
            ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
            ["DOTNET_NOLOGO"] = "1",
            ["TERM"] = "dumb",
        };
        PutProgram();
    }

    static string Home => "/tmp/newcomer";

    /// <summary>Types a command and waits for its end; of a server, until it serves.</summary>
    public void Type(Command command)
    {
        if (command.IsServer)
        {
            StopServer();
            server = RunningServer.Start(machine, environment, directory, command);
            return;
        }

        var failure = WhyFails(command);
        Assert.True(failure is null, failure);
    }

    /// <summary>Types a command that ends by itself; null if it does what is promised, else what it does instead.</summary>
    public string? WhyFails(Command command)
    {
        // The first command that fails ends the script, and is named.
        const string Trap = "trap 'echo \"failed: $BASH_COMMAND\" >&2' ERR\n";
        var result = machine.Run(LongestCommand, environment, directory, "bash", "-Eeuo", "pipefail", "-c", Trap + command.Text);
        if (result.ExitCode != 0)
            return $"{command.Place}: {command.Text}\nexit code {result.ExitCode}\n{result.Output}{result.Errors}\n{server?.Said}";
        return command.Output is { } promised && !Commands.Matches(promised, result.Output)
            ? $"{command.Place}: {command.Text}\npromises:\n{promised}\nprints:\n{result.Output}"
            : null;
    }

    /// <summary>What lies about in the clone that git does not know: whatever was typed, a clean clone stays clean.</summary>
    public string Litter() => machine.Run(
        LongestCommand, environment, Repository.Root,
        "git", "-c", "safe.directory=*", "status", "--porcelain", "--untracked-files=normal").MustSucceed();

    public void StopServer()
    {
        // Once, also if it does not stop: what is said then is what went wrong.
        var stopped = server;
        server = null;
        stopped?.Dispose();
    }

    public void Dispose()
    {
        try
        {
            StopServer();
        }
        finally
        {
            machine.Dispose();
        }
    }

    // "ashlar" is on the PATH as after an installation, and ./ashlar finds that it has been built: by this build, without another.
    void PutProgram() => machine.Run(
        $"""
        mkdir -p {Home}/bin '{directory}'
        printf '#!/bin/sh\nexec "{ExternalTool.Find("dotnet")}" "{AppContext.BaseDirectory}ashlar.dll" "$@"\n' > {Home}/bin/ashlar
        chmod +x {Home}/bin/ashlar
        cd '{Repository.Root}'
        rm -rf artifacts/program store copy
        mkdir -p artifacts/program/current
        cp {Home}/bin/ashlar artifacts/program/current/ashlar
        touch artifacts/program/built
        # What the server refuses is a failure also to those who type "curl -s".
        echo fail-with-body >{Home}/.curlrc
        """).MustSucceed();

    static string ResolveLink(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
}
