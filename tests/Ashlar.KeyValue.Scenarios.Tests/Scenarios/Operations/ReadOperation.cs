namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Reads some keys, one that is not there, or everything. It may fail where that was planted, and is never wrong.</summary>
sealed class ReadOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => 4;

    public void Run(ScenarioRun run)
    {
        if (run.Random.OneIn(2)) ReadAll(run);
        foreach (var key in run.Model.Content.Keys.Append("never").ToArray())
        {
            if (run.Random.OneIn(3)) Read(run, key);
        }
    }

    static void Read(ScenarioRun run, string key)
    {
        byte[]? found = null;
        if (!run.Try(() => found = run.Store.Get(key))) return;
        run.Counts.Reads++;
        var text = found is null ? null : System.Text.Encoding.UTF8.GetString(found);
        var expected = run.Model.Content.GetValueOrDefault(key);
        if (text != expected) throw new ScenarioFailureException(FailureKind.WrongAnswer, $"{key} is '{text}', not '{expected}'");
    }

    public static void ReadAll(ScenarioRun run)
    {
        SortedDictionary<string, string> found = [];
        if (!run.Try(() => found = run.Store.ReadAll())) return;
        run.Counts.Reads++;
        if (StoreModel.Describe(found) is var text && text != StoreModel.Describe(run.Model.Content))
        {
            throw new ScenarioFailureException(
                FailureKind.WrongAnswer,
                $"a scan finds {StoreModel.Shorten(text)}\nand not {StoreModel.Shorten(StoreModel.Describe(run.Model.Content))}");
        }
    }
}
