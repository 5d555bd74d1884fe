using Ashlar.Simulation;

namespace Ashlar.Files.Tests;

/// <summary>The clock on the wall is set at any step of an upload and of the collector: nothing ends early, and nothing is lost.</summary>
public sealed class ClockJumpTests
{
    static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(24 * 4000)]
    [InlineData(-24 * 4000)]
    public async Task An_upload_and_the_periods_of_the_collector_go_by_the_time_that_passes(int hours)
    {
        var steps = int.MaxValue;
        for (var step = 0; step < steps; step++)
        {
            await using var rig = await FileRig.CreateAsync();
            var kept = FileRig.Content(20_000, 1);
            await rig.PutAsync("/deleted", FileRig.Content(20_000, 2));
            await rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse("/deleted"));
            var collector = new Collector(rig.Store, rig.Nodes, new() { Grace = Day, CondemnedFor = Day, TimeProvider = rig.Clock });
            var done = 0;
            rig.ServeThrough(store => Intercepted<IMetadataStore>.Create(store, async _ =>
            {
                if (done++ != step) return;
                rig.Clock.JumpWallClock(TimeSpan.FromHours(hours));
                Assert.Equal(new CollectionReport(0, 0, 0, 0, 0, 0), await collector.RunAsync());
            }));
            await rig.PutAsync("/kept", kept);
            steps = done;
            Assert.Equal(kept, await rig.GetAsync("/kept"));

            // Each period takes as long as it takes, and no longer.
            rig.Clock.Advance(Day - TimeSpan.FromMinutes(1));
            Assert.Equal(0, (await collector.RunAsync()).Condemned);
            rig.Clock.Advance(TimeSpan.FromMinutes(2));
            Assert.True((await collector.RunAsync()).Condemned > 0);
            rig.Clock.JumpWallClock(TimeSpan.FromHours(-2 * hours));
            Assert.Equal(0, (await collector.RunAsync()).Deleting);
            rig.Clock.Advance(Day + TimeSpan.FromMinutes(1));
            Assert.True((await collector.RunAsync()).Deleting > 0);
            await rig.DrainAsync();
            StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
            Assert.Equal(kept, await rig.GetAsync("/kept"));
        }

        Assert.InRange(steps, 3, 100);
    }
}
