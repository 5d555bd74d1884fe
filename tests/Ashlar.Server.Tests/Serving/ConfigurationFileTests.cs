using System.Text;
using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Serving;

/// <summary>Options of a server from a file: which win, and what is said of a file that is wrong.</summary>
public sealed class ConfigurationFileTests : IDisposable
{
    static readonly string[] Known = ["--data", "--listen", "--nbd-port", "--allow-unauthenticated"];

    readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task A_list_of_nothing_says_nothing()
    {
        await File.WriteAllTextAsync(directory["f"], """{"allowHost": [], "listen": []}""");
        await using var server = await RunningProgram.StartAsync("--config", directory["f"]);
        Assert.StartsWith("http://127.0.0.1:", server.Status.Endpoints.Api, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mark_of_UTF_8_at_the_beginning_is_no_part_of_the_text()
    {
        var text = Encoding.UTF8.GetPreamble().Concat("{\"nbdPort\": 1}"u8.ToArray()).ToArray();
        Assert.Equal("f", ConfigurationFile.Parse("f", text, Known).Path);
    }

    [Theory]
    [InlineData("", "f is not JSON: line 1, byte 1")]
    [InlineData("[]", "f is not a JSON object")]
    [InlineData("{\n  \"listen\": \"::1\"\n  \"nbdPort\": 1\n}", "f is not JSON: line 3")]
    [InlineData("{\"nbd-port\": 1}", "f: 'nbd-port' is not an option: did you mean nbdPort?")]
    [InlineData("{\"colour\": \"blue\"}", "f: 'colour' is not an option: expected data, listen, nbdPort, allowUnauthenticated")]
    [InlineData("{\"nbdPort\": {}}", "f: 'nbdPort' is not a text, a number, true, false or a list of texts")]
    [InlineData("{\"nbdPort\": null}", "f: 'nbdPort' is not a text")]
    [InlineData("{\"nbdPort\": 1, \"nbdPort\": 2}", "f: 'nbdPort' is given twice")]
    [InlineData("{\"listen\": [], \"listen\": \"::1\"}", "f: 'listen' is given twice")]
    public void A_file_that_is_wrong_says_where(string text, string why) =>
        Assert.StartsWith(
            why,
            Assert.Throws<FormatException>(() => ConfigurationFile.Parse("f", Encoding.UTF8.GetBytes(text), Known)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Comments_and_a_last_comma_are_allowed() =>
        Assert.Equal("f", ConfigurationFile.Parse("f", "{ // comment\n \"nbdPort\": 0, /* more */ }"u8.ToArray(), Known).Path);

    /// <remarks>As editors of Windows write it.</remarks>
    [Fact]
    public void A_byte_order_mark_is_allowed() =>
        Assert.Equal("f", ConfigurationFile.Parse("f", "\uFEFF{\"nbdPort\": 0}"u8.ToArray(), Known).Path);

    [Fact]
    public async Task A_value_that_is_none_is_refused_also_where_another_one_wins()
    {
        var file = Write("{\"nbdPort\": 70000}");
        var outcome = await CalledProgram.RunAsync("serve", "--config", file, "--nbd-port", "0", "--data", "/dev/null/none");
        Assert.Equal((2, true), (outcome.ExitCode, outcome.Error.Contains("'70000' is not a port", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("{\"nbdPort\": 70000}", "file: nbdPort: '70000' is not a port")]
    [InlineData("{\"allowUnauthenticated\": 3}", "file: allowUnauthenticated: '3' is neither true nor false")]
    [InlineData("{\"allow\": true}", "--config: ")]
    public async Task A_server_does_not_start_with_a_file_that_is_wrong(string text, string why)
    {
        var file = Write(text);
        var outcome = await CalledProgram.RunAsync("serve", "--config", file);
        Assert.Equal((int)ExitCode.Usage, outcome.ExitCode);
        Assert.Contains(why.Replace("file", file, StringComparison.Ordinal), outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named()
    {
        var outcome = await CalledProgram.RunAsync("serve", "--config", directory["none"]);
        Assert.Contains($"--config: {directory["none"]} cannot be read", outcome.Error, StringComparison.Ordinal);
    }

    // Only an address that needs --allow-unauthenticated shows without a server which of them was taken.
    [Theory]
    [InlineData(null, null, "192.0.2.1")]
    [InlineData("192.0.2.2", null, "192.0.2.2")]
    [InlineData("192.0.2.2", "192.0.2.3", "192.0.2.3")]
    public async Task The_command_line_wins_over_the_environment_and_that_over_the_file(string? environment, string? word, string taken)
    {
        var file = Write($$"""{"listen": "192.0.2.1", "data": "{{directory["data"]}}", "nbdPort": 0}""");
        var variables = environment is null ? [] : new Dictionary<string, string> { ["ASHLAR_LISTEN"] = environment };
        string[] words = word is null ? [] : ["--listen", word];
        var outcome = await CalledProgram.RunAsync(variables, "", ["serve", "--config", file, .. words]);
        Assert.Contains($"{taken} can be reached from other machines", outcome.Error, StringComparison.Ordinal);
    }

    string Write(string text)
    {
        File.WriteAllText(directory["file"], text);
        return directory["file"];
    }
}
