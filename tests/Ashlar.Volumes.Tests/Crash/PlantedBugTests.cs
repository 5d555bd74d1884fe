using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>The explorer is worth its time only if it finds bugs. Each of these, planted, must turn it red.</summary>
public sealed class PlantedBugTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(nameof(PlantedBug.MapBeforeData))]
    [InlineData(nameof(PlantedBug.SkipDataFlush))]
    [InlineData(nameof(PlantedBug.MarkerNotDurable))]
    [InlineData(nameof(PlantedBug.ReuseBeforeCommit))]
    [InlineData(nameof(PlantedBug.PunchAfterReuse))]
    [InlineData(nameof(PlantedBug.BitmapNotInBatch))]
    [InlineData(nameof(PlantedBug.RecoverWithoutFlush))]
    [InlineData(nameof(PlantedBug.FlushWithoutMap))]
    [InlineData(nameof(PlantedBug.ClearMarkersEarly))]
    [InlineData(nameof(PlantedBug.MarkByMemory))]
    [InlineData(nameof(PlantedBug.SkipRecovery))]
    [InlineData(nameof(PlantedBug.ShrinkBeforeUnmap))]
    [InlineData(nameof(PlantedBug.MapNotDurable))]
    [InlineData(nameof(PlantedBug.SettleSpillsUnflushed))]
    public async Task A_planted_bug_is_found(string name)
    {
        var bug = Enum.Parse<PlantedBug>(name);
        for (ulong seed = 1; seed <= 12; seed++)
        {
            try
            {
                await PoolCrashTests.ExploreAsync(seed, bug, stateBudget: 400, nestedOneIn: 10, killedOneIn: 20);
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
