using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Server.Tests.Pools;

/// <summary>Plants a mistake below the server: syncs that are not there.</summary>
static class MissingSync
{
    /// <summary>Some disk that could come back after a crash shows that a sync was left out.</summary>
    /// <param name="work">Works on a disk through files, which are the disk's but for what is planted.</param>
    /// <param name="check">Checks a disk that could come back.</param>
    /// <param name="path">Whose syncs are left out.</param>
    /// <param name="operations">Which syncs.</param>
    /// <param name="stateBudget">How many disks are checked at most.</param>
    public static async Task MustBeFoundAsync(
        Func<SimulatedFileSystem, IFileSystem, Task> work,
        Func<CrashState, Task> check,
        string path,
        FaultOperations operations,
        int stateBudget)
    {
        var disk = new SimulatedFileSystem();
        var faulty = new FaultyFileSystem(disk, new FaultRule(operations, FaultKind.Skip) { PathPattern = path, IsSticky = true });
        await work(disk, faulty);
        Assert.True(faulty.FiredCount > 0, "nothing was planted");
        await Assert.ThrowsAsync<CrashCheckException>(() => CrashExplorer.ExploreAsync(
            disk, check, new CrashExplorerOptions { StateBudget = stateBudget, NestedOneIn = 0, RandomSubsets = 2, Replay = null }));
    }
}
