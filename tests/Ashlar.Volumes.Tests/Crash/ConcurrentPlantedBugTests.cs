using Ashlar.Simulation;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>What is planted into a pool is found under several writers too, and not without a crash.</summary>
public sealed class ConcurrentPlantedBugTests(ITestOutputHelper output)
{
    // How the writers meet differs from run to run.
    const int Attempts = 4;

    [Theory]
    [InlineData(nameof(PlantedBug.SkipDataFlush), nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.MarkerNotDurable), nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.MapBeforeData), nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.FlushWithoutMap), nameof(Finding.Lost))]
    [InlineData(nameof(PlantedBug.MapNotDurable), nameof(Finding.Lost))]
    public async Task A_planted_bug_is_found_under_several_writers(string name, string finding)
    {
        var bug = Enum.Parse<PlantedBug>(name);
        var seed = 1UL;
        for (var attempt = 1; ; attempt++)
        {
            var check = new ConcurrentCrashCheck(seed, bug);
            var disk = new SimulatedFileSystem();
            await new ConcurrentWorkload(seed, bug).RunAsync(disk);
            var found = await Record.ExceptionAsync(() => CrashExplorer.ExploreAsync(disk, check.RunAsync, new CrashExplorerOptions
            {
                Seed = seed,
                StateBudget = 400,
                NestedOneIn = 10,
                NestedBudget = 3,
                Replay = null,
            }));
            if (found is null && attempt < Attempts) continue;
            var crash = Assert.IsType<CrashCheckException>(found);
            output.WriteLine($"attempt {attempt}: {crash.Message}");
            Assert.Equal(finding, CrashFindingException.Of(crash.InnerException).ToString());
            break;
        }
    }
}
