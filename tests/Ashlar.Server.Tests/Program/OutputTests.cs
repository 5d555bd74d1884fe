using System.Diagnostics;
using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Program;

/// <summary>The program as a process of its own: where its output goes, and what it may look at.</summary>
public sealed class OutputTests : IDisposable
{
    static readonly string ProgramPath = typeof(ExitCode).Assembly.Location;

    static readonly bool IsRoot = Environment.UserName == "root";

    readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("help exit-codes")]
    [InlineData("version")]
    [InlineData("volume --help")]
    [InlineData("kv scan ./store")]
    [InlineData("kv scan ./store --raw")]
    public void Output_to_a_full_disk_is_one_line_of_error(string words)
    {
        var result = Shell($"ashlar kv create ./store && ashlar kv load ./store --generate 20 && ashlar {words} > /dev/full");
        Assert.Equal(1, result.ExitCode);
        Assert.Equal("error: the output cannot be written: No space left on device\n", result.Errors);
    }

    [Fact]
    public void Nowhere_to_say_what_went_wrong_leaves_the_exit_code() =>
        Assert.Equal(2, Shell("ashlar frobnicate 2> /dev/full").ExitCode);

    [Theory]
    [InlineData("2>&-")]
    [InlineData(">&- 2>&-")]
    [InlineData("<&- >&- 2>&-")]
    public void A_parent_that_closed_the_standard_descriptors_gets_the_exit_code(string closed) =>
        Assert.Equal(2, Shell($"ashlar frobnicate {closed}").ExitCode);

    [Fact]
    public void Output_to_a_descriptor_that_was_closed_is_an_error()
    {
        var result = Shell("ashlar version >&-");
        Assert.Equal((1, "error: the output cannot be written: Bad file descriptor\n"), (result.ExitCode, result.Errors));
    }

    /// <remarks>Each of them leaves other descriptors to the runtime and to the files of the server.</remarks>
    [Theory]
    [InlineData("2>&-")]
    [InlineData(">&- 2>&-")]
    [InlineData("<&- >&- 2>&-")]
    public void A_server_whose_parent_closed_the_standard_descriptors_serves_and_writes_no_log_into_its_files(string closed)
    {
        var result = Shell(
            $"(exec dotnet '{ProgramPath}' serve --data ./data --pool-size 64MiB --nbd-port 0 --iscsi-port 0 "
            + $"--nvme-port 0 --api-port 0 --s3-port 0 {closed}) & "
            + "server=$!; "
            + "until ashlar volume create vm1 --size 1MiB --data ./data 2> /dev/null; do kill -0 $server || exit 9; sleep 0.1; done; "
            + "sleep 0.2; ashlar volume delete vm1 --yes --data ./data || exit 8; kill $server; wait $server || exit 7; "
            + "grep -rla 'INFO' ./data; exit 0");
        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("./data", result.Output, StringComparison.Ordinal);
    }

    /// <remarks>It would stay: keys for the cursor mean something else from then on.</remarks>
    [FactIfTool("script")]
    public void A_terminal_is_not_switched_to_another_mode()
    {
        var result = Shell($"TERM=xterm script -qec \"dotnet '{ProgramPath}' version\" /dev/null < /dev/null");
        Assert.StartsWith("ashlar ", result.Output, StringComparison.Ordinal);
    }

    /// <remarks>It has no other end.</remarks>
    [Fact]
    public async Task A_command_that_is_watched_ends_when_nobody_reads_it_any_more()
    {
        await using var server = await RunningProgram.StartInAsync(directory["data"]);
        var result = Shell("ashlar status --watch --interval 1ms -q --data ./data | head -1; echo ${PIPESTATUS[0]}");
        Assert.Equal(("ok\n0\n", ""), (result.Output, result.Errors));
    }

    [Fact]
    public async Task A_watched_command_with_nothing_to_write_ends_too()
    {
        await using var server = await RunningProgram.StartInAsync(directory["data"]);
        var result = Shell("ashlar volume list --watch --interval 10ms -q --data ./data | true; echo ${PIPESTATUS[0]}");
        Assert.Equal(("0\n", ""), (result.Output, result.Errors));
    }

    [Fact]
    public void A_reader_that_has_enough_is_no_error()
    {
        var result = Shell(
            "set -o pipefail; ashlar kv create ./store && ashlar kv load ./store --generate 6000 --value-size 1000 -q; "
            + "ashlar kv scan ./store --keys-only | head -1; echo ${PIPESTATUS[0]}; "
            + "ashlar kv scan ./store --raw | head -c 1 | wc -c; echo ${PIPESTATUS[0]}");
        Assert.Equal("", result.Errors);
        Assert.EndsWith("0000000000000000\n0\n1\n0\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void All_output_is_there_when_a_command_ends() => Assert.Equal(
        "6000\n", Shell("ashlar kv create ./store -q; ashlar kv load ./store --generate 6000 -q; ashlar kv scan ./store | wc -l").Output);

    [Fact]
    public void Messages_stand_after_the_output_that_came_before_them()
    {
        var result = Shell("ashlar device create ./disk && ashlar device stats ./disk > all 2>&1; tail -1 all");
        Assert.StartsWith("Requests for whole blocks", result.Output.Split('\n')[^2], StringComparison.Ordinal);
    }

    /// <remarks>Root may look everywhere, and becomes nobody; anybody else shuts himself out.</remarks>
    [FactIfTool("setpriv")]
    public async Task What_another_user_may_not_look_at_is_permission_denied()
    {
        await using var server = await RunningProgram.StartInAsync(directory["data"]);
        if (!IsRoot) ExternalTool.Run("chmod", "0", directory["data"]).MustSucceed();
        foreach (var words in (string[])["volume list", "status", "volume create x --size 1GiB"])
        {
            var result = Shell($"ashlar {words} --data ./data", asNobody: true);
            Assert.Equal(4, result.ExitCode);
            Assert.Equal(
                $"error: permission denied: this user may not look into {directory["data"]}\n"
                + "hint: run the command as the user of the server, or name the server by --server\n",
                result.Errors);
        }
        Assert.Equal(0, Shell($"ashlar status --server {server.Status.Endpoints.Api}", asNobody: true).ExitCode);
        if (!IsRoot) ExternalTool.Run("chmod", "700", directory["data"]).MustSucceed();
    }

    ToolResult Shell(string line, bool asNobody = false)
    {
        var nobody = asNobody && IsRoot ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
        var start = new ProcessStartInfo("bash", ["-c", $"ashlar() {{ {nobody}dotnet '{ProgramPath}' \"$@\"; }}; {line}"])
        {
            WorkingDirectory = directory["."],
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ASHLAR_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        start.Environment["HOME"] = directory["."];
        start.Environment["DOTNET_CLI_HOME"] = "/nowhere";
        return ExternalTool.Run(ExternalTool.DefaultDeadline, start);
    }
}
