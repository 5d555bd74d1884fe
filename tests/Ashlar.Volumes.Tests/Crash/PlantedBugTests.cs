using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>The explorer is worth its time only if it finds bugs. Each of these, planted, must turn it red.</summary>
public sealed class PlantedBugTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(nameof(PlantedBugs.MapBeforeData))]
    [InlineData(nameof(PlantedBugs.SkipDataFlush))]
    [InlineData(nameof(PlantedBugs.MarkerNotDurable))]
    [InlineData(nameof(PlantedBugs.ReuseBeforeCommit))]
    [InlineData(nameof(PlantedBugs.PunchAfterReuse))]
    [InlineData(nameof(PlantedBugs.BitmapNotInBatch))]
    [InlineData(nameof(PlantedBugs.RecoverWithoutFlush))]
    [InlineData(nameof(PlantedBugs.FlushWithoutMap))]
    [InlineData(nameof(PlantedBugs.ClearMarkersEarly))]
    [InlineData(nameof(PlantedBugs.MarkByMemory))]
    [InlineData(nameof(PlantedBugs.SkipRecovery))]
    [InlineData(nameof(PlantedBugs.ShrinkBeforeUnmap))]
    [InlineData(nameof(PlantedBugs.MapNotDurable))]
    public async Task A_planted_bug_is_found(string name)
    {
        var bug = Enum.Parse<PlantedBugs>(name);
        for (ulong seed = 1; seed <= 12; seed++)
        {
            try
            {
                await PoolCrashTests.ExploreAsync(seed, bug, stateBudget: 400, nestedOneIn: 10);
            }
            catch (Exception found) when (found is CrashCheckException or AshlarException or InvalidDataException)
            {
                output.WriteLine($"seed {seed}: {found.Message}");
                return;
            }
        }

        Assert.Fail($"{bug} was not found.");
    }
}
