using System.Diagnostics;
using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Completion;

/// <summary>The scripts of <c>ashlar completion</c> in the shells that they are for.</summary>
public sealed class ShellTests : IDisposable
{
    const string AskBash = """
        source "$1"
        complete -p ashlar
        ask() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
            COMP_POINT=${#COMP_LINE}
            _ashlar
            printf '%s\n' "${COMPREPLY[*]}"
        }
        ask ./ashlar vol
        ask ./ashlar volume sh
        ask ./ashlar volume show --data "$2" ''
        ask ./ashlar volume show --data "$2" vm2 v
        ask ./ashlar volume list --output = js
        ask ./ashlar kv scan sto
        ask ./ashlar kv load store --file fil
        ask ./ashlar volume show --data /nowhere/at/all ''
        """;

    const string AskZsh = """
        # What _describe and _files would show.
        _describe() { printf '%s\n' "${(j: :)${(P)4}}"; }
        _files() { printf 'files %s\n' "$*"; }
        compdef() { printf 'compdef %s\n' "$*"; }
        source "$1"
        ask() { words=("$@"); CURRENT=$#; _ashlar; }
        ask ./ashlar vol
        ask ./ashlar volume show --data "$2" ''
        ask ./ashlar kv scan sto
        ask ./ashlar kv load store --file fil
        ask ./ashlar volume show --data /nowhere/at/all ''
        """;

    readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [FactIfTool("bash")]
    public async Task Bash_completes_commands_options_values_names_and_files()
    {
        await using var server = await StartAsync();
        Assert.Equal(
            [
                "complete -F _ashlar ashlar", "volume", "show", "vm1 vm2", "vm1", "json", "stored", "file.tsv", "",
            ],
            await RunAsync("bash", ["--norc", "-c", AskBash, "bash", await WriteScriptAsync("bash"), server.Data]));
    }

    /// <remarks>A terminal of its own, so that readline reads the keys.</remarks>
    [FactIfTool("bash", "script")]
    public async Task Bash_completes_at_the_press_of_a_key()
    {
        await using var server = await StartAsync();
        var script = await WriteScriptAsync("bash");
        await File.WriteAllTextAsync(directory["rc"], $"PS1='$ '\nPATH=$PWD:$PATH\nsource {script}\n");
        var start = new ProcessStartInfo("script", ["-qec", "bash --noprofile --rcfile rc -i", "/dev/null"]);
        using var shell = Start(start);
        await shell.StandardInput.WriteAsync($"ashlar vol\tlis\t--data {server.Data} --col\tname\nexit\n");
        await shell.StandardInput.FlushAsync();
        var screen = await ReadToEndAsync(shell);
        Assert.Contains("NAME", screen, StringComparison.Ordinal);
        Assert.Contains("vm1", screen, StringComparison.Ordinal);
    }

    /// <remarks>Bash cuts words at = and :, and leaves quotes and ~ as they are typed.</remarks>
    [FactIfTool("bash", "script")]
    public async Task Bash_completes_whatever_way_the_server_is_named()
    {
        await using var server = await StartAsync();
        var script = await WriteScriptAsync("bash");
        await File.WriteAllTextAsync(
            directory["rc"], $"PS1='$ '\nPATH=$PWD:$PATH\nsource {script}\nbind 'set enable-bracketed-paste off'\n");
        string[] lines =
        [
            $"ashlar --server {server.Status.Endpoints.Api} volume show -q vm1 v\t",
            $"ashlar --server={server.Status.Endpoints.Api} volume show -q vm1 v\t",
            $"ashlar volume show -q --data \"{server.Data}\" vm1 v\t",
            $"ashlar volume show -q --data '{server.Data}' vm1 v\t",
            "ashlar volume show -q --data ~/data vm1 v\t",
            "ashlar volume show vm1 vm2 --data ~/data --output=na\t",
            "ashlar volume show vm1 vm2 --data ~/da\t -q",
        ];
        using var shell = Start(new ProcessStartInfo("script", ["-qec", "bash --noprofile --rcfile rc -i", "/dev/null"]));
        await shell.StandardInput.WriteAsync(string.Concat(lines.Select(line => $"{line}\n")) + "exit\n");
        await shell.StandardInput.FlushAsync();
        var screen = await ReadToEndAsync(shell);
        Assert.Equal(lines.Length, screen.Split("\nvm1\r\nvm2\r\n").Length - 1);
    }

    [FactIfTool("bash")]
    public async Task Bash_is_given_nothing_that_it_would_carry_out()
    {
        await File.WriteAllTextAsync(directory["ashlar"], "#!/bin/sh\nprintf '%s\\n' '$(touch x)' 'a;b' plain :none\n");
        ExternalTool.Run("chmod", "700", directory["ashlar"]).MustSucceed();
        const string ask = """
            source "$1"
            COMP_WORDS=(./ashlar '') COMP_CWORD=1 COMP_LINE='./ashlar ' COMP_POINT=9
            _ashlar
            printf '%s\n' "${COMPREPLY[@]}"
            """;
        await File.WriteAllTextAsync(directory["script"], (await CalledProgram.RunAsync("completion", "bash")).Out);
        Assert.Equal([@"\$\(touch\ x\)", @"a\;b", "plain"], await RunAsync("bash", ["--norc", "-c", ask, "bash", directory["script"]]));
    }

    [FactIfTool("zsh")]
    public async Task Zsh_completes_commands_names_and_files()
    {
        await using var server = await StartAsync();
        Assert.Equal(
            [
                "compdef _ashlar ashlar",
                "volume:Thin volumes\\: create, list, show, map, resize, limit, set, rename, delete, undelete",
                "vm1 vm2",
                "files -/",
                "files ",
                "",
            ],
            (await RunAsync("zsh", ["-f", "-c", AskZsh, "zsh", await WriteScriptAsync("zsh"), server.Data]))
                .Select(line => line.Replace("Thin volumes:", "Thin volumes\\:", StringComparison.Ordinal)));
    }

    [FactIfTool("fish")]
    public async Task Fish_completes_commands_names_and_files_with_descriptions()
    {
        await using var server = await StartAsync();
        var script = await WriteScriptAsync("fish");
        async Task<string[]> AskAsync(string line) =>
            await RunAsync("fish", ["--no-config", "-c", $"set PATH $PWD $PATH; source {script}; complete -C '{line}'"]);
        Assert.Equal(
            ["volume\tThin volumes: create, list, show, map, resize, limit, set, rename, delete, undelete"], await AskAsync("ashlar vol"));
        Assert.Equal(["vm1", "vm2"], await AskAsync($"ashlar volume show --data {server.Data} "));
        // Each with the description that the shell has for its kind.
        Assert.Equal("stored/", Assert.Single(await AskAsync("ashlar kv scan sto")).Split('\t')[0]);
        Assert.Equal("file.tsv", Assert.Single(await AskAsync("ashlar kv load store --file fil")).Split('\t')[0]);
        Assert.Empty(await AskAsync("ashlar volume show --data /nowhere/at/all "));
    }

    /// <summary>A server with two volumes, and a directory with the program, a store and a file.</summary>
    async Task<RunningProgram> StartAsync()
    {
        var program = typeof(ExitCode).Assembly.Location;
        await File.WriteAllTextAsync(directory["ashlar"], $"#!/bin/sh\nexec dotnet '{program}' \"$@\"\n");
        ExternalTool.Run("chmod", "700", directory["ashlar"]).MustSucceed();
        Directory.CreateDirectory(directory["stored"]);
        await File.WriteAllTextAsync(directory["file.tsv"], "");
        var server = await RunningProgram.StartInAsync(directory["data"]);
        foreach (var name in (string[])["vm1", "vm2"]) await server.CallAsync("volume", "create", name, "--size", "1GiB");
        return server;
    }

    async Task<string> WriteScriptAsync(string shell)
    {
        var script = await CalledProgram.RunAsync("completion", shell);
        Assert.Equal((0, ""), (script.ExitCode, script.Error));
        await File.WriteAllTextAsync(directory["script"], script.Out);
        return directory["script"];
    }

    async Task<string[]> RunAsync(string shell, string[] words)
    {
        using var process = Start(new ProcessStartInfo(shell, words));
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = await ReadToEndAsync(process);
        Assert.Equal("", await errors);
        return output.Length == 0 ? [] : output[..^1].Split('\n');
    }

    Process Start(ProcessStartInfo start)
    {
        start.WorkingDirectory = directory["."];
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ASHLAR_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        start.Environment["HOME"] = directory["."];
        start.Environment["TERM"] = "dumb";
        return Process.Start(start)!;
    }

    static async Task<string> ReadToEndAsync(Process process)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            return await process.StandardOutput.ReadToEndAsync(deadline.Token);
        }
        finally
        {
            if (!process.HasExited && deadline.IsCancellationRequested) process.Kill(entireProcessTree: true);
        }
    }
}
