using System.Diagnostics;

namespace Ashlar.Interop.Tests.Tools;

/// <summary>What a program said and how it ended.</summary>
sealed record ToolResult(string CommandLine, int ExitCode, string Output, string Error)
{
    /// <summary>The standard output of a program that must have succeeded.</summary>
    public string MustSucceed() => ExitCode == 0 ? Output : throw new ToolException($"exit code {ExitCode}", this);
}

sealed class ToolException(string what, ToolResult result)
    : Exception($"{result.CommandLine}: {what}\n{result.Output}\n{result.Error}".TrimEnd());

/// <summary>Runs the programs that play the client, each under a deadline.</summary>
static class Tool
{
    static readonly string[] SearchPath =
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin", "/sbin"];

    public static TimeSpan DefaultDeadline { get; } = TimeSpan.FromMinutes(2);

    public static string? Find(string name) =>
        SearchPath.Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);

    public static ToolResult Run(string name, params string[] arguments) => Run(DefaultDeadline, name, arguments);

    public static ToolResult Run(TimeSpan deadline, string name, params string[] arguments) =>
        Run(deadline, new ProcessStartInfo(Find(name) ?? name, arguments));

    public static ToolResult Run(TimeSpan deadline, ProcessStartInfo start)
    {
        var commandLine = string.Join(' ', [Path.GetFileName(start.FileName), .. start.ArgumentList]);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.UseShellExecute = false;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(deadline))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            throw new ToolException($"did not end within {deadline.TotalSeconds:0} s",
                new(commandLine, -1, output.Result, error.Result));
        }
        return new(commandLine, process.ExitCode, output.Result, error.Result);
    }
}
