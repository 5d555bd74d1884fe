using System.Diagnostics;
using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Program;

/// <summary>The program as a process of its own.</summary>
public sealed class SignalTests
{
    static readonly string ProgramPath = typeof(ExitCode).Assembly.Location;

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task A_signal_ends_the_server_cleanly(string signal)
    {
        using var directory = new TemporaryDirectory();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var server = Start(ProgramPath, "up", "--data", directory["data"], "--pool-size", "64MiB", "--nbd-port", "0", "--iscsi-port",
            "0", "--nvme-port", "0", "--api-port", "0", "--s3-port", "0");
        try
        {
            var screen = "";
            while (!screen.Contains("Ctrl-C", StringComparison.Ordinal))
                screen += await server.StandardOutput.ReadLineAsync(deadline.Token) + "\n";
            Assert.StartsWith($"Ashlar {VersionCommand.Current} is up\n", screen, StringComparison.Ordinal);
            Assert.DoesNotContain('\e', screen);

            using (var kill = Process.Start("kill", [$"-{signal}", $"{server.Id}"])) await kill.WaitForExitAsync(deadline.Token);
            await server.WaitForExitAsync(deadline.Token);
            Assert.Equal(0, server.ExitCode);
            Assert.EndsWith("server: stopped\n", await server.StandardError.ReadToEndAsync(deadline.Token), StringComparison.Ordinal);
        }
        finally
        {
            if (!server.HasExited) server.Kill();
        }
    }

    /// <remarks>As from timeout(1), and from a terminal whose wrapper passes on what the program gets, too.</remarks>
    [Fact]
    public async Task A_stop_that_comes_twice_at_once_is_one()
    {
        using var directory = new TemporaryDirectory();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var server = Start(
            ProgramPath, "serve", "--data", directory["data"], "--pool-size", "64MiB",
            "--nbd-port", "0", "--iscsi-port", "0", "--nvme-port", "0", "--api-port", "0", "--s3-port", "0");
        try
        {
            string? line;
            do line = await server.StandardError.ReadLineAsync(deadline.Token);
            while (line?.Contains("server: serving ", StringComparison.Ordinal) == false);
            using (var kill = Process.Start("bash", ["-c", $"kill -INT {server.Id}; kill -TERM {server.Id}"]))
                await kill.WaitForExitAsync(deadline.Token);
            await server.WaitForExitAsync(deadline.Token);
            Assert.Equal(0, server.ExitCode);
            Assert.EndsWith("server: stopped\n", await server.StandardError.ReadToEndAsync(deadline.Token), StringComparison.Ordinal);
        }
        finally
        {
            if (!server.HasExited) server.Kill();
        }
    }

    [Fact]
    public async Task A_hang_up_does_not_stop_a_service()
    {
        using var directory = new TemporaryDirectory();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var server = Start(
            ProgramPath, "serve", "--data", directory["data"], "--pool-size", "64MiB", "--nbd-port", "0", "--iscsi-port", "0",
            "--nvme-port", "0", "--api-port",
                "0", "--s3-port", "0");
        try
        {
            await WaitForLineAsync("server: serving ");
            await SendAsync("HUP");
            await WaitForLineAsync("server: SIGHUP changes nothing");
            Assert.Equal(0, (await CalledProgram.RunAsync("status", "--data", directory["data"])).ExitCode);
            await SendAsync("TERM");
            await server.WaitForExitAsync(deadline.Token);
            Assert.Equal(0, server.ExitCode);
        }
        finally
        {
            if (!server.HasExited) server.Kill();
        }

        async Task WaitForLineAsync(string part)
        {
            string? line;
            do line = await server.StandardError.ReadLineAsync(deadline.Token);
            while (line?.Contains(part, StringComparison.Ordinal) == false);
            Assert.NotNull(line);
        }

        async Task SendAsync(string signal)
        {
            using var kill = Process.Start("kill", [$"-{signal}", $"{server.Id}"]);
            await kill.WaitForExitAsync(deadline.Token);
        }
    }

    [Fact]
    public async Task A_command_needs_no_part_of_the_server()
    {
        using var directory = new TemporaryDirectory();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await using var running = await RunningProgram.StartAsync();
        // Without the list of its dependencies the program finds what lies beside it, and fails where it loads anything else.
        string[] needed =
        [
            "ashlar.dll", "ashlar.runtimeconfig.json", "System.CommandLine.dll", "Ashlar.Api.dll", "Ashlar.Storage.dll",
            "Ashlar.Planning.dll",
        ];
        foreach (var name in needed)
            File.Copy(Path.Combine(Path.GetDirectoryName(ProgramPath)!, name), directory[name]);
        using var command = Start(directory["ashlar.dll"], "status", "--data", running.Data);
        var output = await command.StandardOutput.ReadToEndAsync(deadline.Token);
        Assert.Equal("", await command.StandardError.ReadToEndAsync(deadline.Token));
        Assert.StartsWith("OK", output, StringComparison.Ordinal);
    }

    static Process Start(params string[] words) => Process.Start(new ProcessStartInfo("dotnet", words)
    {
        UseShellExecute = false,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        RedirectStandardInput = true,
        Environment = { ["HOME"] = "/nowhere", ["ASHLAR_DATA"] = "", ["NO_COLOR"] = "" },
    })!;
}
