using System.Diagnostics;

namespace Ashlar.Architecture.Tests;

/// <summary>
/// Source is laid out as .editorconfig says. Names and style beyond that are errors of the build, and the order of imports has a test of its own;
/// the deep tier lets dotnet format look at everything once more, which takes more than a minute.
/// </summary>
public sealed class FormatTests
{
    [Fact]
    public void Dotnet_format_would_change_nothing()
    {
        string[] arguments = TestTier.Choose<string[]>(
            normal: ["format", "whitespace", ".", "--folder", "--verify-no-changes", "--include", "src/", "tests/", "bench/", "samples/"],
            deep: ["format", "Ashlar.slnx", "--verify-no-changes"]);
        var result = ExternalTool.Run(
            TimeSpan.FromMinutes(20), new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = Repository.Root });
        Assert.True(result.ExitCode == 0, $"run dotnet format Ashlar.slnx\n{result.Output}{result.Errors}");
    }
}
