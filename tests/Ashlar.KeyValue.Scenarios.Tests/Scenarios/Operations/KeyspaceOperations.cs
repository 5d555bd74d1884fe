using Ashlar.Simulation;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// Opens a keyspace, which is empty whatever had its name before, or writes a batch of keys and ranges of several keyspaces and of none.
/// </summary>
sealed class KeyspaceWriteOperation : IScenarioOperation
{
    const int Keys = 6;

    public int WeightIn(ScenarioOptions options) => options.Has(Features.Keyspaces) ? 14 : 0;

    public void Run(ScenarioRun run)
    {
        var name = run.Random.Pick(KeyspaceKeys.Names);
        if (!run.Model.Content.ContainsKey(KeyspaceKeys.Of(name))) Open(run, name);
        else Write(run);
    }

    /// <summary>One of the keyspaces that are there; null: there is none, or it could not be found.</summary>
    public static Keyspace? PickOpen(ScenarioRun run)
    {
        var names = KeyspaceKeys.Names.Where(name => run.Model.Content.ContainsKey(KeyspaceKeys.Of(name))).ToArray();
        return names.Length > 0 && TryFind(run, run.Random.Pick(names), out var found) ? found : null;
    }

    public static bool TryFind(ScenarioRun run, string name, out Keyspace? found)
    {
        Keyspace? keyspace = null;
        found = null;
        if (!run.Try(() => keyspace = run.Store.FindKeyspace(name))) return false;
        found = keyspace ?? throw new ScenarioFailureException(FailureKind.WrongAnswer, $"the keyspace {name} is not found");
        return true;
    }

    /// <summary>A key of a keyspace.</summary>
    public static string NewKey(SeededRandom random) => $"k{random.Next(Keys)}";

    static void Open(ScenarioRun run, string name)
    {
        Keyspace? keyspace = null;
        var isOpened = run.Change([new(KeyspaceKeys.Of(name), "", null)], [], isDurable: true, () =>
        {
            keyspace = run.Store.OpenKeyspace(name);
            return true;
        });
        if (!isOpened) return;
        run.Counts.OpenedKeyspaces++;
        var isEmpty = true;
        if (run.Try(LookForKeys) && !isEmpty) throw new ScenarioFailureException(FailureKind.WrongAnswer, $"{name} is new, and not empty");

        void LookForKeys()
        {
            using var cursor = keyspace!.Scan(KeyRange.All);
            isEmpty = !cursor.MoveNext();
        }
    }

    static void Write(ScenarioRun run)
    {
        var random = run.Random;
        var (batch, changes, ranges) = (new WriteBatch(), new List<ScenarioChange>(), new List<KeySpan>());
        for (var count = random.Next(1, 4); count > 0; count--)
        {
            var value = ScenarioChange.NewValue(run.Model.Step + 1, count, random, mayBeLong: false);
            if (random.OneIn(4))
            {
                var outside = ScenarioChange.Random($"a{random.Next(4)}", value, random, mayExpire: false);
                outside.AddTo(batch);
                changes.Add(outside);
                continue;
            }

            if (PickOpen(run) is not { } keyspace) return;
            if (random.OneIn(6)) DeleteRange(keyspace);
            var change = ScenarioChange.Random(NewKey(random), value, random, mayExpire: false) with { Keyspace = keyspace.Name };
            change.AddTo(batch, keyspace);
            changes.Add(change);
        }

        if (run.Write(batch, changes, WriteOperation.Choose(run), ranges)) run.Counts.KeyspaceWrites++;

        void DeleteRange(Keyspace keyspace)
        {
            var (start, end) = ($"k{random.Next(3)}", $"k{random.Next(3, 6)}");
            batch.DeleteRange(keyspace, KeyRange.Between(TestStore.Bytes(start), TestStore.Bytes(end)));
            var range = KeyspaceKeys.Between(keyspace.Name, start, end);
            ranges.Add(range);
            var gone = run.Model.Content.Keys.Concat(changes.Select(change => change.ModelKey)).Where(range.Contains).Distinct();
            changes.AddRange(gone.ToArray().Select(key => ScenarioChange.Of(key, null)));
        }
    }
}

/// <summary>Drops a keyspace: none of its keys is ever seen again, and what somebody had prepared for it is refused.</summary>
sealed class DropKeyspaceOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => options.Has(Features.Keyspaces) ? 3 : 0;

    public void Run(ScenarioRun run)
    {
        if (KeyspaceWriteOperation.PickOpen(run) is not { } dropped) return;
        var late = new WriteBatch();
        late.Put("a0"u8, "too late"u8);
        late.Put(dropped, "k0"u8, "too late"u8);
        var all = KeyspaceKeys.AllOf(dropped.Name);
        var changes = run.Model.Content.Keys.Where(all.Contains).ToArray().Select(key => ScenarioChange.Of(key, null))
            .Prepend(new(KeyspaceKeys.Of(dropped.Name), null, null)).ToArray();
        var isDropped = run.Change(changes, [all], isDurable: true, () => run.Store.DropKeyspace(dropped.Name)
            ? true
            : throw new ScenarioFailureException(FailureKind.WrongAnswer, $"{dropped.Name} cannot be dropped: it is not there"));
        if (!isDropped) return;
        run.Counts.DroppedKeyspaces++;
        var isTaken = false;
        run.Try(() =>
        {
            try
            {
                run.Store.Write(late, Durability.Relaxed);
                isTaken = true;
            }
            catch (KeyspaceDroppedException)
            {
                // Nothing of it is there, as the next look at everything shows.
            }
        });
        if (isTaken) throw new ScenarioFailureException(FailureKind.WrongAnswer, $"{dropped.Name} was dropped, and takes a write");
    }
}

/// <summary>Deletes all keys outside of keyspaces from one on: theirs, which lie behind those, stay.</summary>
sealed class DeleteToEndOperation : IScenarioOperation
{
    const string Start = "d1";

    public int WeightIn(ScenarioOptions options) =>
        options.Has(Features.Keyspaces) && options.Has(Features.RangeDeletes) ? 1 : 0;

    public void Run(ScenarioRun run)
    {
        var range = new KeySpan(Start, KeyspaceKeys.Start);
        var gone = run.Model.Content.Keys.Where(range.Contains).Append(Start); // So that there is one to promise something of.
        ScenarioChange[] changes = [.. gone.Select(key => ScenarioChange.Of(key, null))];
        var durability = WriteOperation.Choose(run);
        var isDone = run.Change(changes, [range], durability == Durability.Sync, () =>
        {
            run.Store.DeleteFrom(Start, durability);
            return true;
        });
        if (!isDone) return;
        run.FindQueue();
        run.Counts.RangeDeletes++;
    }
}
