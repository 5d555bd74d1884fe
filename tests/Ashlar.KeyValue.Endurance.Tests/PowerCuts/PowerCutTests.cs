using System.Text.Json;
using Ashlar.KeyValue.Victim;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>Power cuts of a real ext4 under a store that several threads write to; the oracle lives elsewhere.</summary>
public sealed class PowerCutTests(ITestOutputHelper output)
{
    static readonly int CutsOfEach = (TestSeeds.Number("ASHLAR_POWER_CUTS", TestTier.Choose(36, 300)) + 2) / 3;

    static readonly int PortableCuts = TestTier.Choose(8, 100);

    [PowerCutTheory, InlineData(""), InlineData("data=journal"), InlineData("commit=1,nodelalloc")]
    public void Durable_writes_survive_power_cuts_of_a_real_file_system(string mountOptions)
    {
        var seed = TestSeeds.First(nameof(PowerCutTests) + mountOptions);
        var cuts = new PowerCuts(seed, mountOptions);
        cuts.Run(CutsOfEach);

        Assert.Equal(CutsOfEach, cuts.Cuts);
        Assert.InRange(cuts.Acknowledged, 20L * CutsOfEach, long.MaxValue);
        if (CutsOfEach >= 12) // Each kind of store was there.
        {
            Assert.InRange(cuts.CutsWhileRecovering, CutsOfEach / 8, CutsOfEach);
            Assert.InRange(cuts.BegunWithoutPower, TestTier.Choose(0, 1), int.MaxValue); // It takes some luck.
            Assert.InRange(cuts.CutsAfterMoves, 1, CutsOfEach);
            Assert.InRange(cuts.CutsDuringBackups, 1, CutsOfEach);
            Assert.InRange(cuts.BackupsJudged, 1, int.MaxValue);
        }

        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "engine power cuts",
            seed,
            fileSystem = $"ext4 {mountOptions}".TrimEnd(),
            cuts = cuts.Cuts,
            whileRecovering = cuts.CutsWhileRecovering,
            acknowledged = cuts.Acknowledged,
            begunWithoutPower = cuts.BegunWithoutPower,
            afterMovesOfValues = cuts.CutsAfterMoves,
            duringBackups = cuts.CutsDuringBackups,
            backupsJudged = cuts.BackupsJudged,
            failures = 0,
        }));
    }

    [PowerCutFact]
    public void Durable_writes_survive_power_cuts_by_the_portable_door()
    {
        var seed = TestSeeds.First(nameof(PowerCutTests) + "portable");
        var cuts = new PowerCuts(seed, "", isPortable: true);
        cuts.Run(PortableCuts);
        Assert.Equal(PortableCuts, cuts.Cuts);
        Assert.InRange(cuts.Acknowledged, 20L * PortableCuts, long.MaxValue);
    }

    // What was durable is gone; where something later is there, the log itself says that it was durable.
    [PowerCutFact]
    public void A_flush_that_is_skipped_is_noticed_as_a_loss()
    {
        var failure = Assert.Throws<LifeException>(() => new PowerCuts(1, "", Lie.SkipSyncs).Run(30));
        output.WriteLine(failure.Message);
        Assert.Contains(
            Assert.IsType<JudgeException>(failure.InnerException).Problem, (JudgeProblem[])[JudgeProblem.Lost, JudgeProblem.DoesNotOpen]);
    }
}
