using System.Text.Json;
using Ashlar.KeyValue.Victim;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>Power cuts of a real ext4 under a store that several threads write to; the oracle lives elsewhere.</summary>
public sealed class PowerCutTests(ITestOutputHelper output)
{
    [PowerCutTheory, InlineData(""), InlineData("data=journal"), InlineData("commit=1,nodelalloc")]
    public void Durable_writes_survive_power_cuts_of_a_real_file_system(string mountOptions)
    {
        var seed = Settings.Seed;
        var cuts = new PowerCuts(seed, mountOptions);
        cuts.Run((Settings.PowerCuts + 2) / 3);
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "engine power cuts",
            seed,
            fileSystem = $"ext4 {mountOptions}".TrimEnd(),
            cuts = cuts.Cuts,
            whileOpening = cuts.CutsWhileOpening,
            acknowledged = cuts.Acknowledged,
            afterMovesOfValues = cuts.CutsAfterMoves,
            duringBackups = cuts.CutsDuringBackups,
            backupsJudged = cuts.BackupsJudged,
            failures = 0,
        }));
        if (cuts.Cuts < 20) return; // A few cuts need not have met everything.
        Assert.True(cuts.CutsAfterMoves > 0, "values were never moved");
        Assert.True(cuts.BackupsJudged > 0, "no backup was made");
    }

    [PowerCutTheory, InlineData(Lie.SkipSyncs)]
    public void A_flush_that_is_skipped_is_noticed(Lie lie)
    {
        var failure = Assert.Throws<InvalidOperationException>(() => new PowerCuts(Settings.Seed, "", lie).Run(30));
        output.WriteLine(failure.Message);
    }
}
