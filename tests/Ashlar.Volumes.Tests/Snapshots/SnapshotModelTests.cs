using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>Volumes, snapshots and clones against arrays of bytes, whatever is done in whatever order.</summary>
public sealed class SnapshotModelTests
{
    [Fact]
    public Task Volumes_snapshots_and_clones_hold_what_they_held_whatever_is_done_in_whatever_order() => Parallel.ForEachAsync(
        TestSeeds.Several(nameof(SnapshotModelTests), TestTier.Choose(40, 2000)),
        new ParallelOptions { MaxDegreeOfParallelism = 2 },
        async (seed, _) =>
        {
            try
            {
                var random = new SeededRandom(seed);
                await using var model = await SnapshotModel.CreateAsync(random, seed);
                for (var step = 0; step < 120; step++) await model.StepAsync(step);
                await model.EndAsync();
            }
            catch (Exception e)
            {
                throw new InvalidDataException($"ASHLAR_SEED={seed}: {e.Message}", e);
            }
        });
}
