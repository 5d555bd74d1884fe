namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// Some entries come at one end of a queue, and about as many go at the other, found by a scan as a server of the queue does.
/// </summary>
sealed class QueueOperation : IScenarioOperation
{
    public const string Prefix = "q/";

    const int Most = 12;

    public int WeightIn(ScenarioOptions options) => options.Has(Features.Queue) ? 10 : 0;

    public void Run(ScenarioRun run)
    {
        if (run.Queue.Count < Most)
        {
            var keys = Enumerable.Range(0, run.Random.Next(1, 5)).Select(number => $"{Prefix}{run.Model.Step + 1:d6}.{number}").ToArray();
            var changes = keys.Select((key, number) => new ScenarioChange(
                key, ScenarioChange.NewValue(run.Model.Step + 1, number, run.Random, mayBeLong: false), null)).ToArray();
            if (run.Write(changes, WriteOperation.Choose(run)))
            {
                foreach (var key in keys) run.Queue.Enqueue(key);
            }
        }

        for (var count = run.Random.Next(1, 5); count > 0 && run.Queue.TryPeek(out var oldest); count--)
        {
            string? found = null;
            if (!run.Try(() => found = run.Store.ReadAll(Prefix, most: 1).Keys.FirstOrDefault())) return;
            if (found != oldest)
                throw new ScenarioFailureException(FailureKind.WrongAnswer, $"the queue begins with {found}, not with {oldest}");
            if (!run.Write([new ScenarioChange(oldest, null, null)], WriteOperation.Choose(run))) return;
            run.Queue.Dequeue();
        }
    }
}
