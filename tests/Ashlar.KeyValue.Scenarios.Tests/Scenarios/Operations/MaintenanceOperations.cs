namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Closes the store in order, and opens it again with other sizes.</summary>
sealed class ReopenOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => 2;

    public void Run(ScenarioRun run)
    {
        run.Close();
        run.Open();
        ReadOperation.ReadAll(run);
    }
}

/// <summary>Makes everything durable.</summary>
sealed class SyncOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => 1;

    public void Run(ScenarioRun run)
    {
        if (run.Try(run.Store.Sync)) run.Promise();
    }
}

/// <summary>Has what is in memory written to tables.</summary>
sealed class FlushOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => 1;

    public void Run(ScenarioRun run) => run.Try(run.Store.Flush);
}

/// <summary>Has all tables merged.</summary>
sealed class CompactOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => 1;

    public void Run(ScenarioRun run) => run.Try(run.Store.Compact);
}

/// <summary>Fills the disk, until a put is refused; or gives it room again.</summary>
sealed class FillOperation : IScenarioOperation
{
    const int MostPuts = 400;

    public int WeightIn(ScenarioOptions options) => options.Has(Features.FullDisk) ? 2 : 0;

    public void Run(ScenarioRun run)
    {
        if (run.IsDiskFull)
        {
            run.EmptyDisk();
            return;
        }

        run.FillDisk(roomBytes: 24 << 10);
        for (var number = 0; number < MostPuts; number++)
        {
            var value = $"{run.Model.Step + 1}:{number}".PadLeft(run.Random.Next(50, 600), '.');
            if (!run.Write([new ScenarioChange($"d{run.Random.Next(30):d2}", value, null)], Durability.Relaxed)) return;
        }
    }
}
