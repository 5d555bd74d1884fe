using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

public sealed class ManualPageTests
{
    [Fact]
    public async Task The_manual_page_has_every_command_with_its_options_and_every_topic()
    {
        var page = (await CalledProgram.RunAsync("man")).Out;
        Assert.StartsWith(".TH ASHLAR 1 ", page, StringComparison.Ordinal);
        foreach (var (command, path) in HelpTests.All(HelpTests.Root()).Where(each => !each.Command.Hidden))
        {
            if (path != "ashlar") Assert.Contains($".SS {path.Replace("-", "\\-", StringComparison.Ordinal)} ", page, StringComparison.Ordinal);
            Assert.All(
                command.Options.Where(option => !option.Hidden && !option.Recursive),
                option => Assert.Contains(option.Name.Replace("-", "\\-", StringComparison.Ordinal), page, StringComparison.Ordinal));
        }
        foreach (var section in (string[])["EXIT CODES", "ENVIRONMENT", "SIZES"]) Assert.Contains($"\n.SH {section}\n", page, StringComparison.Ordinal);
        Assert.DoesNotContain("\n.SS ashlar man", page, StringComparison.Ordinal);
    }

    [FactIfTool("groff")]
    public async Task The_manual_page_is_formatted_without_a_warning()
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory["ashlar.1"], (await CalledProgram.RunAsync("man")).Out);
        var result = ExternalTool.Run("groff", "-man", "-Tutf8", "-ww", "-z", directory["ashlar.1"]);
        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
    }
}
