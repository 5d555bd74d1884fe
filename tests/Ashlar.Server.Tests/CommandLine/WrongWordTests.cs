namespace Ashlar.Server.Tests.CommandLine;

/// <summary>Commands by other programs' names, in the other order, or misspelt: the line that was meant is printed to be pasted.</summary>
public sealed class WrongWordTests
{
    [Theory]
    [InlineData("volume crate x --size 1GiB", "crate", "volume create x --size 1GiB")]
    [InlineData("create volume x --size 1GiB", "create", "volume create x --size 1GiB")]
    [InlineData("create x --size 1GiB", "create", "volume create x --size 1GiB")]
    [InlineData("list volumes", "list", "volume list")]
    [InlineData("volumes list", "volumes", "volume list")]
    [InlineData("volumes ls", "volumes", "volume ls")]
    [InlineData("volumes", "volumes", "volume")]
    [InlineData("ls", "ls", "volume list")]
    [InlineData("list", "list", "volume list")]
    [InlineData("rm x -y", "rm", "volume delete x -y")]
    [InlineData("destroy x", "destroy", "volume delete x")]
    [InlineData("remove disk x", "remove", "volume delete x")]
    [InlineData("get x", "get", "volume show x")]
    [InlineData("get pools", "get", "pool list")]
    [InlineData("info", "info", "status")]
    [InlineData("info x", "info", "volume show x")]
    [InlineData("volume info x", "info", "volume show x")]
    [InlineData("volume info", "info", "volume list")]
    [InlineData("volume get x", "get", "volume show x")]
    [InlineData("volume destroy x y", "destroy", "volume delete x y")]
    [InlineData("volume remove x", "remove", "volume delete x")]
    [InlineData("volume add x --size 1G", "add", "volume create x --size 1G")]
    [InlineData("volume new x --size 1G", "new", "volume create x --size 1G")]
    [InlineData("volume grow x --size 2G", "grow", "volume resize x --size 2G")]
    [InlineData("volume mv x y", "mv", "volume rename x y")]
    [InlineData("volume x show", "x", "volume show x")]
    [InlineData("vol x rm", "x", "vol delete x")]
    [InlineData("pool info main", "info", "pool show main")]
    [InlineData("show pool main", "show", "pool show main")]
    [InlineData("device info disk.ash", "info", "device show disk.ash")]
    [InlineData("device check disk.ash", "check", "device verify disk.ash")]
    [InlineData("kv set ./store a b", "set", "kv put ./store a b")]
    [InlineData("kv list ./store", "list", "kv scan ./store")]
    [InlineData("kv remove ./store a", "remove", "kv delete ./store a")]
    [InlineData("kv info ./store", "info", "kv stats ./store")]
    [InlineData("kv add ./store a b", "add", "kv put ./store a b")]
    [InlineData("start --data ./d", "start", "up --data ./d")]
    [InlineData("volmes crate x", "volmes", "volume create x")]
    [InlineData("volmes frobnicate x", "volmes", "volume --help")]
    [InlineData("-o table volume crate x", "crate", "-o table volume create x")]
    [InlineData("volume crate it's --size 1G", "crate", "volume create 'it'\\''s' --size 1G")]
    public async Task A_wrong_word_is_named_and_the_line_that_was_meant_is_printed(string line, string wrong, string meant)
    {
        var result = await CalledProgram.RunAsync(new Surroundings { Program = "./ashlar" }, line.Split(' '));
        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.StartsWith($"error: '{wrong}' is not a command of ashlar", result.Error, StringComparison.Ordinal);
        Assert.EndsWith($"\nhint: did you mean: ./ashlar {meant}\n", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("frobnicate", "--help")]
    [InlineData("volume frobnicate", "volume --help")]
    [InlineData("create plan x", "--help")]
    public async Task Where_nothing_is_near_help_is_named(string line, string help) => Assert.EndsWith(
        $"\nhint: ashlar {help}\n", (await CalledProgram.RunAsync(line.Split(' '))).Error, StringComparison.Ordinal);
}
