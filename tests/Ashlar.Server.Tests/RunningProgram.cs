using System.Text;
using Ashlar.Api;
using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests;

/// <summary><c>ashlar up</c> within this process, on free ports and a data directory of its own.</summary>
sealed class RunningProgram : IAsyncDisposable
{
    readonly TemporaryDirectory? ownDirectory;
    readonly CancellationTokenSource stop = new();
    readonly SharedText error = new();
    readonly Task<ExitCode> run;

    RunningProgram(TemporaryDirectory? ownDirectory, string data, Announcement output, string[] extra)
    {
        this.ownDirectory = ownDirectory;
        Data = data;
        string[] words =
        [
            "up", "--data", data, "--nbd-port", "0", "--iscsi-port", "0", "--nvme-port", "0", "--api-port", "0", "--s3-port", "0",
            "--pool-size", "64MiB", "-o", "json", .. extra,
        ];
        run = AshlarProgram.RunAsync(words, CalledProgram.Terminal(output, error.Writer), stop.Token);
        Output = output;
    }

    public string Data { get; }

    public Status Status { get; private set; } = null!;

    public string Log => error.ToString();

    Announcement Output { get; }

    public static Task<RunningProgram> StartAsync(params string[] extra)
    {
        var directory = new TemporaryDirectory();
        return StartAsync(new RunningProgram(directory, directory["data"], new Announcement(), extra));
    }

    /// <summary>On a directory that outlives the program.</summary>
    public static Task<RunningProgram> StartInAsync(string data, params string[] extra) =>
        StartAsync(new RunningProgram(null, data, new Announcement(), extra));

    /// <summary>Calls a command that finds this server by its data directory.</summary>
    public Task<Outcome> CallAsync(params string[] words) => CalledProgram.RunAsync([.. words, "--data", Data]);

    /// <summary>As Ctrl-C does; returns how it ended.</summary>
    public async Task<ExitCode> StopAsync()
    {
        await stop.CancelAsync();
        return await run;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stop.Dispose();
        ownDirectory?.Dispose();
    }

    static async Task<RunningProgram> StartAsync(RunningProgram program)
    {
        if (await Task.WhenAny(program.Output.FirstLine, program.run) == program.run)
        {
            program.ownDirectory?.Dispose();
            throw new InvalidOperationException($"The server ended with {await program.run}: {program.Log}");
        }
        program.Status = System.Text.Json.JsonSerializer.Deserialize(await program.Output.FirstLine, ApiJson.Strict.Status)!;
        return program;
    }

    /// <summary>Waits for the line by which the server says that it is up.</summary>
    sealed class Announcement : TextWriter
    {
        readonly TaskCompletionSource<string> firstLine = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> FirstLine => firstLine.Task;

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value) => firstLine.TrySetResult(value!);
    }
}
