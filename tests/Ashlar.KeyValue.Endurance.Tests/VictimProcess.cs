using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using Ashlar.KeyValue.Victim;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>A victim in a process of its own. What it said is kept here, out of reach of what kills it.</summary>
sealed partial class VictimProcess : IDisposable
{
    const int StopSignal = 19, ContinueSignal = 18;
    const uint BytesWaiting = 0x541B; // FIONREAD

    readonly Process process;
    readonly List<ReportRecord> records = [];
    readonly Thread listener;
    readonly Task<string> errors;
    readonly ManualResetEventSlim ready = new();
    int said;
    int kindsSaid; // A bit each.
    bool hasHeardAll;

    public VictimProcess(VictimPlan plan)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Ashlar.KeyValue.Victim.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. plan.ToArguments()])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        // A short life is mostly start-up.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_TieredCompilation"] = "1";
        process = Process.Start(start)!;
        errors = process.StandardError.ReadToEndAsync();
        listener = new Thread(Listen);
        listener.Start();
        AppDomain.CurrentDomain.ProcessExit += KillAtExit;
    }

    public int Id => process.Id;

    public bool WaitUntilReady(TimeSpan time) => ready.Wait(time);

    public bool WaitUntilEnded(TimeSpan time) => process.WaitForExit(time);

    /// <summary>Until it has said so much since it was ready, or ended, or the time is over.</summary>
    public void WaitUntilSaid(int count, TimeSpan time)
    {
        var wanted = count + 1;
        SpinWait.SpinUntil(
            () =>
            {
                Thread.Sleep(1);
                return Volatile.Read(ref said) >= wanted || process.HasExited;
            },
            time);
    }

    /// <summary>Until it has said all of this, or ended, or the time is over.</summary>
    public void WaitUntilSaid(ReadOnlySpan<ReportKind> kinds, TimeSpan time)
    {
        var wanted = 0;
        foreach (var kind in kinds) wanted |= 1 << (int)kind;
        SpinWait.SpinUntil(
            () =>
            {
                Thread.Sleep(1);
                return (Volatile.Read(ref kindsSaid) & wanted) == wanted || process.HasExited;
            },
            time);
    }

    /// <summary>
    /// Stops it within whatever it does. Returns how much it had said by then: nothing it does from here on is seen by anybody.
    /// </summary>
    public int Freeze()
    {
        if (process.HasExited) return Drain();
        _ = Signal(process.Id, StopSignal);
        // Once its first thread stands still, the others return from the kernel only to stand still as well.
        while (!process.HasExited && State() != 'T') Thread.Sleep(1);
        return Drain();
    }

    public void Thaw() => _ = Signal(process.Id, ContinueSignal);

    /// <summary>SIGKILL; returns when the process is gone and everything it said was heard.</summary>
    /// <param name="mayFail">Whether it may have ended with an error, because its disk went away under it.</param>
    /// <param name="powerCutAt">How much it had said when power failed: what it was told later proves nothing.</param>
    public LifeHistory Kill(bool mayFail = false, int powerCutAt = int.MaxValue)
    {
        var endedItself = process.HasExited;
        process.Kill();
        process.WaitForExit();
        listener.Join();
        var text = errors.Result;
        if (mayFail) return new LifeHistory(records, powerCutAt);
        if (text.Length > 0) throw new InvalidOperationException($"The victim failed:\n{text}");
        if (endedItself && process.ExitCode != 137 && records.TrueForAll(record => record.Kind != ReportKind.Closed && record.Kind != ReportKind.Failed))
            throw new InvalidOperationException($"The victim ended with code {process.ExitCode} and said nothing.");
        return new LifeHistory(records);
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= KillAtExit;
        if (!process.HasExited) process.Kill();
        listener.Join();
        process.Dispose();
        ready.Dispose();
    }

    void Listen()
    {
        var pipe = process.StandardOutput.BaseStream;
        var buffer = new byte[ReportRecord.SizeBytes * 4096];
        var held = 0;
        for (int count; (count = pipe.Read(buffer.AsSpan(held))) > 0;)
        {
            held += count;
            var at = 0;
            for (; held - at >= ReportRecord.SizeBytes; at += ReportRecord.SizeBytes)
            {
                var record = ReportRecord.Read(buffer.AsSpan(at));
                records.Add(record);
                Volatile.Write(ref kindsSaid, kindsSaid | (1 << (int)record.Kind));
                Volatile.Write(ref said, records.Count);
                if (record.Kind == ReportKind.Ready) ready.Set();
            }

            buffer.AsSpan(at, held - at).CopyTo(buffer);
            held -= at;
        }

        Volatile.Write(ref hasHeardAll, true);
        ready.Set();
    }

    // Nothing is in the pipe and nothing on its way from there to the list.
    int Drain()
    {
        for (var before = -1; ;)
        {
            var now = Volatile.Read(ref said);
            if (Volatile.Read(ref hasHeardAll) || (now == before && Waiting() == 0)) return now;
            before = now;
            Thread.Sleep(2);
        }
    }

    unsafe int Waiting()
    {
        var count = 0;
        var pipe = ((PipeStream)process.StandardOutput.BaseStream).SafePipeHandle;
        return IoControl((int)pipe.DangerousGetHandle(), BytesWaiting, &count) == 0 ? count : 0;
    }

    char State()
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process.Id}/stat");
            return text[text.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return 'X';
        }
    }

    void KillAtExit(object? sender, EventArgs e)
    {
        if (!process.HasExited) process.Kill();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static unsafe partial int IoControl(int descriptor, nuint request, int* argument);
}
