using System.Diagnostics;

namespace Ashlar.Architecture.Tests;

/// <summary>A command that has to succeed.</summary>
static class Command
{
    /// <summary>Runs a program, and gives what it printed.</summary>
    /// <param name="program">The program.</param>
    /// <param name="workingDirectory">Where it runs.</param>
    /// <param name="packages">Where it restores packages to; null where everybody does.</param>
    /// <param name="arguments">What it is called with.</param>
    public static async Task<string> Run(string program, string workingDirectory, string? packages, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = workingDirectory,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What was restored from elsewhere does not count, and compilers that stay behind would keep the directory in use.
        if (packages is not null) start.Environment["NUGET_PACKAGES"] = packages;
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\n{await output}{await error}");
        return await output;
    }
}
