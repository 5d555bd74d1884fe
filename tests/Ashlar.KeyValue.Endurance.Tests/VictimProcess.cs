using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using Ashlar.KeyValue.Victim;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>A victim in a process of its own. What it said is kept here, out of reach of what kills it.</summary>
sealed partial class VictimProcess : IDisposable
{
    const int StopSignal = 19, ContinueSignal = 18;
    const int KilledExitCode = 128 + 9;
    const int ThawedRecords = 8;
    const uint BytesWaiting = 0x541B; // FIONREAD

    // A victim that says nothing for so long, although it lives, hangs.
    static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);
    static readonly TimeSpan LongestThaw = TimeSpan.FromMilliseconds(200);

    readonly Process process;
    readonly List<ReportRecord> records = [];
    readonly Thread listener;
    readonly Task<string> errors;
    readonly int[] acknowledged = new int[VictimWorkload.Threads];
    int said;
    int kindsSaid; // A bit each.
    bool hasHeardAll;
    bool hadEndedBeforePowerCut;

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

    /// <summary>Until the store is open, or the victim has ended.</summary>
    public void WaitUntilReady() => WaitUntilSaid([ReportKind.Ready]);

    /// <summary>Until it has ended, or the time is over.</summary>
    public bool WaitUntilEnded(TimeSpan time) => process.WaitForExit(time);

    /// <summary>Until it has said so much altogether, or ended.</summary>
    public void WaitUntilSaid(int count) => WaitUntil(() => Volatile.Read(ref said) >= count, $"say {count} things");

    /// <summary>Until it has said all of this, or ended.</summary>
    public void WaitUntilSaid(params ReadOnlySpan<ReportKind> kinds)
    {
        var wanted = 0;
        foreach (var kind in kinds) wanted |= 1 << (int)kind;
        WaitUntil(() => (Volatile.Read(ref kindsSaid) & wanted) == wanted, $"say {string.Join(", ", kinds.ToArray())}");
    }

    /// <summary>
    /// Until each of its writers has been told something more, or it has ended: of a store in which one call waits for ever that would
    /// not be seen once it is killed.
    /// </summary>
    public void WaitUntilAllGoOn()
    {
        var before = new int[acknowledged.Length];
        for (var thread = 0; thread < before.Length; thread++) before[thread] = Volatile.Read(ref acknowledged[thread]);
        WaitUntil(
            () => !before.Where((count, thread) => Volatile.Read(ref acknowledged[thread]) == count).Any(), "go on with all its threads");
    }

    /// <summary>
    /// Stops it within whatever it does. Returns how much it had said by then: nothing it does from here on is seen by anybody.
    /// </summary>
    public int Freeze()
    {
        if (!process.HasExited) _ = Signal(process.Id, StopSignal);
        // Once its first thread stands still, the others return from the kernel only to stand still as well.
        WaitUntil(() => State() == 'T', "stand still");
        hadEndedBeforePowerCut = process.HasExited;
        return Drain();
    }

    /// <summary>Lets it go on until it has begun or ended something without power; not for ever, for it may have nothing to say.</summary>
    public void Thaw(int said)
    {
        _ = Signal(process.Id, ContinueSignal);
        var thawed = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref this.said) < said + ThawedRecords && !process.HasExited && Stopwatch.GetElapsedTime(thawed) < LongestThaw)
            Thread.Sleep(1);
    }

    /// <summary>SIGKILL; returns when the process is gone and everything it said was heard.</summary>
    /// <exception cref="VictimException">It had failed before.</exception>
    public LifeHistory Kill()
    {
        var history = End(int.MaxValue);
        RequireNoFailure(history);
        return history;
    }

    /// <summary>The same after its disk has lost power: then it may have ended with an error of the store.</summary>
    /// <param name="powerCutAt">How much it had said when power failed: what it was told later proves nothing.</param>
    /// <exception cref="VictimException">It had failed before, or fails in another way.</exception>
    public LifeHistory KillWithoutPower(int powerCutAt)
    {
        var history = End(powerCutAt);
        if (hadEndedBeforePowerCut) RequireNoFailure(history);
        else if (errors.Result is { Length: > 0 } text && !text.StartsWith("Unhandled exception. Ashlar.", StringComparison.Ordinal))
            throw new VictimException($"failed without power, and not as a store does:\n{text}");
        return history;
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= KillAtExit;
        if (!process.HasExited) process.Kill();
        listener.Join();
        process.Dispose();
    }

    LifeHistory End(int powerCutAt)
    {
        process.Kill();
        process.WaitForExit();
        listener.Join();
        return new LifeHistory(records, powerCutAt) { WasKilled = process.ExitCode == KilledExitCode };
    }

    // Nobody but a kill may end it without its store being closed.
    void RequireNoFailure(LifeHistory history)
    {
        if (errors.Result is { Length: > 0 } text) throw new VictimException($"failed:\n{text}");
        if (!history.WasKilled && (process.ExitCode != 0 || history.ClosedAt is null))
            throw new VictimException($"ended by itself with code {process.ExitCode}");
    }

    void WaitUntil(Func<bool> isSo, string what)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!isSo() && !process.HasExited)
        {
            if (Stopwatch.GetElapsedTime(begun) > LongestWait)
                throw new VictimException($"lives and does not {what} within {LongestWait.TotalSeconds:0} s: it hangs");
            Thread.Sleep(1);
        }
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
                if (record.Kind == ReportKind.Acknowledged) Interlocked.Increment(ref acknowledged[record.Thread]);
            }

            buffer.AsSpan(at, held - at).CopyTo(buffer);
            held -= at;
        }

        Volatile.Write(ref hasHeardAll, true);
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

/// <summary>The victim did what no death explains.</summary>
sealed class VictimException(string what) : Exception($"The victim {what}");
