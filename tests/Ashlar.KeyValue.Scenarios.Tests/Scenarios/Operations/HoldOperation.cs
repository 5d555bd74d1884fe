namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Takes a snapshot with a cursor; the oldest that is held shows what was there when it was taken, and goes.</summary>
sealed class HoldOperation : IScenarioOperation
{
    const int Most = 2;

    public int WeightIn(ScenarioOptions options) => options.Has(Features.Readers) ? 4 : 0;

    public void Run(ScenarioRun run)
    {
        if (run.Held.Count == Most)
        {
            var (view, expected) = run.Held.Dequeue();
            using (view)
            {
                var found = "";
                if (run.Try(() => found = StoreModel.Describe(view.Read().Select(entry => KeyValuePair.Create(entry.Key, entry.Value))))
                    && found != expected)
                {
                    throw new ScenarioFailureException(
                        FailureKind.WrongAnswer, $"a snapshot shows {StoreModel.Shorten(found)}\nand not {StoreModel.Shorten(expected)}");
                }
            }
        }

        var content = StoreModel.Describe(run.Model.Content);
        run.Try(() => run.Held.Enqueue((run.Store.Hold(), content)));
    }
}
