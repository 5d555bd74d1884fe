namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// Writes a batch on conditions about one or two keys: as they are now, as they were when they were read some time ago, or absent. It is
/// written if all of that is so, and only then.
/// </summary>
sealed class ConditionalWriteOperation : IScenarioOperation
{
    const string Letters = "abcd";
    const int KeysPerLetter = 4;

    public int WeightIn(ScenarioOptions options) => options.Has(Features.Conditions) ? 14 : 0;

    public void Run(ScenarioRun run)
    {
        var random = run.Random;
        // Of shards each letter is in one, and only there conditions are checked together.
        var letter = Letters[random.Next(Letters.Length)];
        var keyspace = KeyspaceWriteOperation.PickOpen(run);
        if (keyspace is not null && random.OneIn(2)) keyspace = null;
        var (conditions, areMet) = (new WriteConditions(), true);
        for (var count = random.Next(1, 3); count > 0; count--)
        {
            if (!TryRequire(run, conditions, keyspace, NewKey(), out var isMet)) return;
            areMet &= isMet;
        }

        var value = ScenarioChange.NewValue(run.Model.Step + 1, 1, random, mayBeLong: false);
        var change = ScenarioChange.Random(NewKey(), value, random, mayExpire: false) with { Keyspace = keyspace?.Name };
        var (batch, durability) = (new WriteBatch(), WriteOperation.Choose(run));
        change.AddTo(batch, keyspace);
        run.Change([change], [], durability == Durability.Sync, () =>
        {
            if (run.Store.TryWrite(batch, conditions, durability) is var isWritten && isWritten != areMet)
            {
                throw new ScenarioFailureException(
                    FailureKind.WrongAnswer, $"a write of {change.ModelKey} was {(isWritten ? "" : "not ")}done, whose conditions do "
                        + $"{(areMet ? "" : "not ")}hold");
            }

            if (isWritten) run.Counts.MetConditions++;
            else run.Counts.UnmetConditions++;
            return isWritten;
        });

        string NewKey() => $"{letter}{random.Next(KeysPerLetter)}";
    }

    // False: it could not be read.
    static bool TryRequire(ScenarioRun run, WriteConditions conditions, Keyspace? keyspace, string key, out bool isMet)
    {
        var modelKey = keyspace is null ? key : KeyspaceKeys.Of(keyspace.Name, key);
        ulong sequence;
        if (run.Random.OneIn(2) && run.Versions.TryRecall(modelKey, out sequence, out isMet))
        {
            // What was read then.
        }
        else if (run.Random.OneIn(4))
        {
            (sequence, isMet) = (0, run.Versions.Of(modelKey) == 0);
        }
        else
        {
            sequence = 0;
            isMet = true;
            var read = 0UL;
            if (!run.Try(() => run.Store.Get(modelKey, out read))) return false;
            sequence = read;
            run.Versions.Believe(modelKey, sequence);
            if (sequence > 0 != run.Versions.Of(modelKey) > 0)
                throw new ScenarioFailureException(FailureKind.WrongAnswer, $"{modelKey} has the sequence {sequence}");
        }

        if (keyspace is null) conditions.RequireUnchanged(TestStore.Bytes(key), sequence);
        else conditions.RequireUnchanged(keyspace, TestStore.Bytes(key), sequence);
        return true;
    }
}
