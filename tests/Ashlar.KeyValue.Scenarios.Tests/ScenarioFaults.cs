using Ashlar.Simulation;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// A scenario again and again, with the first operation on the disk failing, then the second, and so on to the last. Whatever it was,
/// the rules of <see cref="ScenarioCheck"/> hold on the disk when it works again, and no read said anything else than what was there.
/// </summary>
static class ScenarioFaults
{
    const int ThoroughOneIn = 4;

    /// <summary>Operations that were made to fail, and what the runs met.</summary>
    public static (int Failed, ScenarioCounts Met) Sweep(ScenarioOptions options, FaultRule rule, FaultProbes? probes = null)
    {
        var met = new ScenarioCounts();
        var disk = new SimulatedFileSystem(isRecording: false);
        var runs = 0;
        var failed = FaultSweep.Run(rule, () => disk = new SimulatedFileSystem(isRecording: false), faulty =>
        {
            var scenario = new StoreScenario(options);
            var marks = scenario.Run(disk, faulty, hasFaults: true);
            faulty.Heal();
            disk.CapacityBytes = 1L << 40;
            new ScenarioCheck(scenario).Run(disk, marks, options.Seed + 17, isThorough: runs++ % ThoroughOneIn == 0);
            met += scenario.Counts;
        }, probes);
        return (failed, met);
    }
}
