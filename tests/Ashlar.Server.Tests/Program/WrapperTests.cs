using System.Diagnostics;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Program;

/// <summary>The script at the root of the repository, with a program that is built already.</summary>
public sealed class WrapperTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    public WrapperTests()
    {
        var root = directory["clone"];
        Directory.CreateDirectory(Path.Combine(root, "src"));
        Directory.CreateDirectory(Path.Combine(root, "artifacts/program"));
        foreach (var name in (string[])["Directory.Build.props", "Directory.Packages.props", "global.json"])
            File.WriteAllText(Path.Combine(root, name), "");
        File.Copy(Path.Combine(Repository.Root, "ashlar"), Path.Combine(root, "ashlar"));
        File.CreateSymbolicLink(Path.Combine(root, "artifacts/program/current"), AppContext.BaseDirectory);
        File.WriteAllText(Path.Combine(root, "artifacts/program/built"), "");
    }

    public void Dispose() => directory.Dispose();

    [FactIfTool("bash")]
    public void Lines_to_paste_begin_as_this_user_began()
    {
        Assert.Equal("hint: ./ashlar --help\n", Hint("cd clone; ./ashlar frobnicate"));
        Assert.Equal("hint: clone/../clone/ashlar --help\n", Hint("clone/../clone/ashlar frobnicate"));
        Assert.Equal("hint: ashlar --help\n", Hint("PATH=$PWD/clone:$PATH; ashlar frobnicate"));
        Assert.Equal("hint: disks --help\n", Hint("mkdir bin; ln -s ../clone/ashlar bin/disks; PATH=$PWD/bin:$PATH; disks frobnicate"));
        Assert.Equal("hint: 'my clone/ashlar' --help\n", Hint("ln -s clone 'my clone'; 'my clone/ashlar' frobnicate"));
    }

    [FactIfTool("bash")]
    public void Completion_waits_for_no_build()
    {
        var result = Run("touch -d 'next year' clone/src/New.cs; clone/ashlar __complete -- vers");
        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.StartsWith("version\t", result.Output, StringComparison.Ordinal);
        Assert.NotEqual(0, Run("rm clone/artifacts/program/current; clone/ashlar __complete -- vers").ExitCode);
    }

    string Hint(string line)
    {
        var result = Run(line);
        Assert.Equal(2, result.ExitCode);
        return result.Errors[result.Errors.IndexOf("hint:", StringComparison.Ordinal)..];
    }

    ToolResult Run(string line)
    {
        var start = new ProcessStartInfo("bash", ["-c", line]) { WorkingDirectory = directory["."] };
        start.Environment["HOME"] = directory["."];
        return ExternalTool.Run(ExternalTool.DefaultDeadline, start);
    }
}
