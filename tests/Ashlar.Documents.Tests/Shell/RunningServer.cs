using System.Diagnostics;
using System.Text;

namespace Ashlar.Documents.Tests;

/// <summary>A server that was started as a document says, and that stays until it is stopped with Ctrl-C.</summary>
sealed class RunningServer : IDisposable
{
    // A server that does not get there in so long hangs.
    static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);

    readonly MachineCopy machine;
    readonly Command command;
    readonly StringBuilder said = new();
    readonly TaskCompletionSource serves = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Process process;

    RunningServer(MachineCopy machine, ProcessStartInfo start, Command command)
    {
        this.machine = machine;
        this.command = command;
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.UseShellExecute = false;
        process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.Exited += (_, _) => serves.TrySetResult();
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>All that it printed.</summary>
    public string Said
    {
        get { lock (said) return said.ToString(); }
    }

    public static RunningServer Start(MachineCopy machine, IReadOnlyDictionary<string, string> environment, string directory, Command command)
    {
        var start = machine.StartInfo(environment, directory, "bash", "-c", $"echo $$ >{IdFile}; exec {command.Text}");
        var server = new RunningServer(machine, start, command);
        var isInTime = server.serves.Task.Wait(LongestWait);
        if (isInTime && !server.process.HasExited) return server;
        var said = server.Said;
        server.process.Dispose();
        throw new InvalidOperationException($"{command.Place}: {command.Text}: {(isInTime ? "it ended" : "it does not say that it serves")}\n{said}");
    }

    /// <summary>Ctrl-C: it must end, and with 0.</summary>
    public void Dispose()
    {
        machine.Run($"kill -INT \"$(cat {IdFile})\"").MustSucceed();
        var isInTime = process.WaitForExit(LongestWait);
        var exitCode = isInTime ? process.ExitCode : -1;
        process.Dispose();
        Assert.True(exitCode == 0, $"{command.Place}: {command.Text}: exit code {exitCode} after Ctrl-C\n{Said}");
    }

    static string IdFile => "/run/server.pid";

    void Hear(string? line)
    {
        if (line is null) return;
        lock (said) said.AppendLine(line);
        if (line.EndsWith(" is up", StringComparison.Ordinal) || line.Contains("serving ", StringComparison.OrdinalIgnoreCase)) serves.TrySetResult();
    }
}
