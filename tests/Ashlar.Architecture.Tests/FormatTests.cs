using System.Diagnostics;

namespace Ashlar.Architecture.Tests;

/// <summary>Source is laid out as .editorconfig says. Style beyond that is an error of the build.</summary>
public sealed class FormatTests
{
    [Fact]
    public void Dotnet_format_would_change_no_whitespace()
    {
        string[] arguments =
        [
            "format", "whitespace", ".", "--folder", "--verify-no-changes", "--include", "src/", "tests/", "bench/", "samples/",
        ];
        var result = ExternalTool.Run(
            TimeSpan.FromMinutes(10), new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = Repository.Root });
        Assert.True(result.ExitCode == 0, $"run dotnet format whitespace Ashlar.slnx\n{result.Output}{result.Errors}");
    }
}
