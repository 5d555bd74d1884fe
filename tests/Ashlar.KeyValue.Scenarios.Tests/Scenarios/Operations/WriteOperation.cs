namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Writes a batch of one to three entries, durably or not.</summary>
sealed class WriteOperation : IScenarioOperation
{
    const int Letters = 4, KeysPerLetter = 4;

    public int WeightIn(ScenarioOptions options) => 24;

    public void Run(ScenarioRun run)
    {
        var random = run.Random;
        // Keys that begin alike are in one shard, so a batch of them is atomic.
        var letter = (char)('a' + random.Next(Letters));
        var changes = new List<ScenarioChange>();
        for (var count = random.OneIn(3) ? random.Next(2, 4) : 1; count > 0; count--)
        {
            var value = ScenarioChange.NewValue(run.Model.Step + 1, count, random, run.Options.Has(Features.LongValues));
            changes.Add(ScenarioChange.Random($"{letter}{random.Next(KeysPerLetter)}", value, random, run.Options.Has(Features.Expiry)));
        }

        run.Write(changes, Choose(run));
    }

    /// <summary>How a write is to be flushed: seeds differ in how often that is at once.</summary>
    public static Durability Choose(ScenarioRun run) =>
        run.Random.OneIn(1 + (int)(run.Options.Seed % 4)) ? Durability.Sync
        : run.Random.OneIn(2) ? Durability.Relaxed
        : Durability.Unflushed;
}
