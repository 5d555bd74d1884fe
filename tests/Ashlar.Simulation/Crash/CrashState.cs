namespace Ashlar.Simulation;

/// <summary>A disk as a power cut may have left it, and what the workload had said by then.</summary>
public sealed class CrashState
{
    readonly Func<string> describe;

    internal CrashState(
        SimulatedFileSystem disk, IReadOnlyList<object> marks, int eventIndex, int depth, ulong seed, Func<string> describe)
    {
        Disk = disk;
        Marks = marks;
        EventIndex = eventIndex;
        Depth = depth;
        Seed = seed;
        this.describe = describe;
    }

    /// <summary>The disk. It is the check's own: it may recover, write, sync and reopen on it.</summary>
    public SimulatedFileSystem Disk { get; }

    /// <summary>What the workload marked before the crash, oldest first.</summary>
    public IReadOnlyList<object> Marks { get; }

    /// <summary>Events of the trace before the crash.</summary>
    public int EventIndex { get; }

    /// <summary>Whether only the process has died, and no sync had failed: all that was written can be read.</summary>
    public bool KeepsPageCache { get; init; }

    /// <summary>1, or 2 when the recovery from another crash was cut off.</summary>
    public int Depth { get; }

    /// <summary>For the chance that the check needs; fixed for each state.</summary>
    public ulong Seed { get; }

    internal int? RecoveryEvents { get; private set; }

    /// <summary>
    /// Says that recovery is over: second crashes are taken only from what happened on the disk before. A check that
    /// goes on to write must call it, unless it would accept what it writes itself after a second crash.
    /// </summary>
    public void RecoveryDone() => RecoveryEvents ??= Disk.TraceLength;

    /// <summary>What survived and what was lost.</summary>
    public override string ToString() => describe();
}
