using Ashlar.CommandLine;

namespace Ashlar.Server.Tests.CommandLine;

public sealed class VersionTests
{
    [Theory]
    [InlineData("--version")]
    [InlineData("-v")]
    [InlineData("-V")]
    [InlineData("version")]
    [InlineData("volume --version")]
    [InlineData("volume create -v")]
    [InlineData("kv scan ./store --version")]
    [InlineData("--data /nowhere --version")]
    public async Task The_version_is_told_wherever_it_is_asked_for(string line)
    {
        var result = await CalledProgram.RunAsync(line.Split(' '));
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Matches(@"^ashlar \d+\.\d+\.\d+( \([0-9a-f]{12}\))?\n$", result.Out);
        Assert.Contains(VersionCommand.Commit ?? VersionCommand.Current, result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Programs_get_version_and_commit_apart()
    {
        var version = (await CalledProgram.RunAsync("--version", "-o", "json")).OutJson;
        Assert.Equal(VersionCommand.Current, version.GetProperty("version").GetString());
        Assert.Equal(VersionCommand.Commit, version.TryGetProperty("commit", out var commit) ? commit.GetString() : null);
        Assert.Equal($"{VersionCommand.Current}\n", (await CalledProgram.RunAsync("version", "-o", "name")).Out);
    }
}
