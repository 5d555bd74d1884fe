using Ashlar.Simulation;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>Power is lost at every point of random workloads; every disk that could come back is opened and checked.</summary>
public sealed class PoolCrashTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_pool_survives_power_loss_at_any_point(ulong seed)
    {
        var result = await ExploreAsync(seed, PlantedBug.None, stateBudget: 2200, nestedOneIn: 20);
        output.WriteLine($"seed {seed}: {result}");
        Assert.True(result.Distinct >= 2000, result.ToString());
        Assert.True(result.Nested >= 200, result.ToString());
    }

    internal static async Task<CrashExplorerResult> ExploreAsync(ulong seed, PlantedBug bug, int stateBudget, int nestedOneIn)
    {
        var workload = new PoolWorkload(seed, stepCount: 70, bug);
        var check = new PoolCrashCheck(seed, workload.Steps, bug);
        return await CrashExplorer.ExploreAsync(
            workload.RunAsync,
            check.RunAsync,
            new CrashExplorerOptions { Seed = seed, StateBudget = stateBudget, NestedOneIn = nestedOneIn, NestedBudget = 5 });
    }
}
