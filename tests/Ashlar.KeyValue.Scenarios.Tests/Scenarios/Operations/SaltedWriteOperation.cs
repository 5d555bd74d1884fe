namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Writes a key that lies in any shard.</summary>
sealed class SaltedWriteOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => options.Has(Features.SaltedKeys) ? 12 : 0;

    public void Run(ScenarioRun run)
    {
        var value = ScenarioChange.NewValue(run.Model.Step + 1, 1, run.Random, mayBeLong: false);
        var key = $"{ScenarioOptions.SaltedPrefix}{run.Random.Next(2)}";
        run.Write([ScenarioChange.Random(key, value, run.Random, mayExpire: false)], WriteOperation.Choose(run));
    }
}
