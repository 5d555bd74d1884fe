namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Deletes a range of keys, in a batch that puts something into it before, which goes along, and behind, which stays.</summary>
sealed class RangeDeleteOperation : IScenarioOperation
{
    const string Letters = "abcd";

    public int WeightIn(ScenarioOptions options) => options.Has(Features.RangeDeletes) ? 8 : 0;

    public void Run(ScenarioRun run)
    {
        var random = run.Random;
        // Of shards each letter is in one, and only there a batch is atomic.
        var letter = Letters[random.Next(Letters.Length)];
        var last = run.Options.IsSharded || random.OneIn(2) ? letter : Letters[random.Next(Letters.IndexOf(letter), Letters.Length)];
        var (start, end) = ($"{letter}{random.Next(3)}", $"{last}{random.Next(3, 6)}");
        var changes = new List<ScenarioChange>();
        var batch = new WriteBatch();
        if (random.OneIn(2)) Put(1);
        batch.DeleteRange(TestStore.Bytes(start), TestStore.Bytes(end));
        foreach (var key in run.Model.Content.Keys.Concat(changes.Select(change => change.Key)).Distinct().ToArray())
        {
            if (string.CompareOrdinal(key, start) >= 0 && string.CompareOrdinal(key, end) < 0) changes.Add(new(key, null, null));
        }

        if (changes.Count == 0 || random.OneIn(2)) Put(2);
        if (run.Write(batch, changes, WriteOperation.Choose(run), [new(start, end)])) run.Counts.RangeDeletes++;

        void Put(int number)
        {
            var value = ScenarioChange.NewValue(run.Model.Step + 1, number, random, mayBeLong: false);
            var change = new ScenarioChange($"{letter}{random.Next(4)}", value, null);
            change.AddTo(batch);
            changes.Add(change);
        }
    }
}
