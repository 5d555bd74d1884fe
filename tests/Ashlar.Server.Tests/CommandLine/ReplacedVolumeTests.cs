using System.Text;
using Ashlar.CommandLine;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>A command changes what it has read and shown, not what has its name by then.</summary>
public sealed class ReplacedVolumeTests : IAsyncLifetime
{
    RunningProgram server = null!;

    public async Task InitializeAsync()
    {
        server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_volume_that_took_the_name_while_the_question_stood_is_not_deleted()
    {
        var result = await CalledProgram.RunAsync(
            new Surroundings { In = new Typist(Replace) }, "volume", "delete", "vm1", "--data", server.Data);
        Assert.Equal((6, ""), (result.ExitCode, result.Out));
        Assert.Contains("error: volume main/vm1 was changed since", result.Error, StringComparison.Ordinal);
        Assert.Equal("vm1\n", (await server.CallAsync("volume", "list", "-q")).Out);
    }

    [Fact]
    public async Task A_volume_that_took_the_name_meanwhile_is_not_shrunk()
    {
        // The note comes after the look at the volume.
        using var error = new Watcher(Replace);
        var exitCode = await AshlarProgram.RunAsync(
            ["volume", "resize", "vm1", "--size", "1000", "--allow-shrink", "--data", server.Data],
            CalledProgram.Terminal(new StringWriter(), error),
            CancellationToken.None);
        Assert.Equal(ExitCode.Conflict, exitCode);
        var now = (await server.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson;
        Assert.Equal(2L << 30, now.GetProperty("sizeBytes").GetInt64());
    }

    void Replace() => Task.Run(async () =>
    {
        await server.CallAsync("volume", "delete", "vm1", "--yes");
        await server.CallAsync("volume", "create", "vm1", "--size", "2GiB");
    }).GetAwaiter().GetResult();

    /// <summary>Says yes, after something has happened.</summary>
    sealed class Typist(Action happens) : TextReader
    {
        public override string ReadLine()
        {
            happens();
            return "y";
        }
    }

    /// <summary>At the first line that is written something happens.</summary>
    sealed class Watcher(Action happens) : TextWriter
    {
        bool hasHappened;

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            if (hasHappened) return;
            hasHappened = true;
            happens();
        }
    }
}
