namespace Ashlar.Simulation;

/// <summary>
/// Runs a workload once on a recording disk, then loses power at every point of its trace in every way worth testing, and
/// has each resulting disk checked. This tests what killing a process cannot: syncs that are missing or in the wrong order.
/// </summary>
/// <remarks>
/// <para>The workload marks what it begins and what it was promised (<see cref="SimulatedFileSystem.Mark"/>); mark before the
/// call and after it returned. The check opens the disk as after a reboot and compares what it finds with
/// <see cref="CrashState.Marks"/>: nothing promised may be missing, nothing may be there that was not begun.</para>
/// <para>A check fails by throwing. The failure is shrunk to the fewest losses that still fail and raised as
/// <see cref="CrashCheckException"/> with the text that replays it.</para>
/// <para>Several threads may take part in a workload: the trace has the order in which the disk served them. Such a trace differs
/// from run to run, so a replay may then not find the same state.</para>
/// </remarks>
public static class CrashExplorer
{
    /// <summary>Explores the crash states of a workload.</summary>
    /// <exception cref="CrashCheckException">A check failed.</exception>
    public static CrashExplorerResult Explore(
        Action<SimulatedFileSystem> workload, Action<CrashState> check, CrashExplorerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(workload);
        var disk = new SimulatedFileSystem();
        workload(disk);
        return Explore(disk, check, options);
    }

    /// <summary>
    /// As <see cref="Explore(Action{SimulatedFileSystem}, Action{CrashState}, CrashExplorerOptions?)"/>, for asynchronous code.
    /// </summary>
    /// <exception cref="CrashCheckException">A check failed.</exception>
    public static async Task<CrashExplorerResult> ExploreAsync(
        Func<SimulatedFileSystem, Task> workload, Func<CrashState, Task> check, CrashExplorerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(workload);
        var disk = new SimulatedFileSystem();
        await workload(disk);
        return await ExploreAsync(disk, check, options);
    }

    /// <summary>Explores the crash states of what a disk has recorded, for asynchronous code.</summary>
    /// <exception cref="CrashCheckException">A check failed.</exception>
    public static Task<CrashExplorerResult> ExploreAsync(
        SimulatedFileSystem disk, Func<CrashState, Task> check, CrashExplorerOptions? options = null) =>
        new CrashExploration(disk, check, options ?? new()).RunAsync();

    /// <summary>
    /// Checks the disk as a workload has left it, with all that it marked and nothing lost: what fails here needs no crash to fail.
    /// </summary>
    public static Task CheckEndAsync(SimulatedFileSystem disk, Func<CrashState, Task> check)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentNullException.ThrowIfNull(check);
        var trace = disk.CopyTrace();
        object[] marks = [.. trace.OfType<DiskEvent.Mark>().Select(mark => mark.Value)];
        var end = SimulatedFileSystem.AfterDeath(disk.TraceStart, trace, disk.BootId);
        return check(new CrashState(end, marks, trace.Length, 1, 0, () => "No crash."));
    }

    /// <summary>Explores the crash states of what a disk has recorded.</summary>
    /// <exception cref="CrashCheckException">A check failed.</exception>
    public static CrashExplorerResult Explore(
        SimulatedFileSystem disk, Action<CrashState> check, CrashExplorerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(check);
        return new CrashExploration(disk, Synchronously, options ?? new()).RunAsync().GetAwaiter().GetResult();

        Task Synchronously(CrashState state)
        {
            check(state);
            return Task.CompletedTask;
        }
    }
}
