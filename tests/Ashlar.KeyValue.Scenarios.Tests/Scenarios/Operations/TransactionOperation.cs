namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// Begins a transaction, goes on with one that is open, or ends it. Whatever is chosen between comes from others, as far as it knows.
/// </summary>
sealed class TransactionOperation : IScenarioOperation
{
    const int Most = 2;

    public int WeightIn(ScenarioOptions options) => options.Has(Features.Transactions) ? 16 : 0;

    public void Run(ScenarioRun run)
    {
        var random = run.Random;
        var isNew = run.Transactions.Count == 0 || (run.Transactions.Count < Most && random.OneIn(3));
        if (isNew) run.Transactions.Add(new ScenarioTransaction(run));
        var transaction = isNew ? run.Transactions[^1] : random.Pick(run.Transactions);
        for (var count = random.Next(1, 4); count > 0; count--)
        {
            if (transaction.TryStep()) continue;
            End();
            return;
        }

        if (isNew || random.OneIn(3)) return;
        run.Transactions.Remove(transaction); // Its own commit does not overtake it.
        using (transaction)
        {
            if (!random.OneIn(8)) transaction.Commit();
        }

        void End()
        {
            run.Transactions.Remove(transaction);
            transaction.Dispose();
        }
    }
}
