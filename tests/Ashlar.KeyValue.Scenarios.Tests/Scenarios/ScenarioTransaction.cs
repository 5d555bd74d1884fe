using System.Text;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// A transaction that is open while others write, and what must become of it: what it sees is the store of when it began with its own
/// writes, and it is committed if nobody has written what it has read.
/// </summary>
sealed class ScenarioTransaction : IDisposable
{
    readonly ScenarioRun run;
    readonly KeyValueTransaction transaction;
    readonly SortedDictionary<string, string> before;
    readonly SortedDictionary<string, string?> own = new(StringComparer.Ordinal);
    readonly HashSet<string> readKeys = [];
    readonly List<KeySpan> readRanges = [];
    readonly HashSet<string> writtenKeys = []; // By others since it began, as are these.
    readonly List<KeySpan> deletedRanges = [];
    readonly HashSet<string> droppedKeyspaces = [];

    public ScenarioTransaction(ScenarioRun run)
    {
        this.run = run;
        before = run.Model.Copy();
        transaction = run.Store.BeginTransaction();
    }

    /// <summary>Others have written.</summary>
    public void Overtake(IEnumerable<ScenarioChange> changes, IEnumerable<KeySpan> ranges)
    {
        foreach (var change in changes)
        {
            writtenKeys.Add(change.ModelKey);
            if (change.Value is null && KeyspaceKeys.IsName(change.ModelKey, out var dropped)) droppedKeyspaces.Add(dropped);
        }

        deletedRanges.AddRange(ranges);
    }

    /// <summary>Reads, scans or writes something.</summary>
    /// <returns>False: a read failed, and the transaction is to be given up.</returns>
    public bool TryStep()
    {
        var keyspace = PickKeyspace(out var isFound);
        if (!isFound) return false;
        var random = run.Random;
        var letter = keyspace is null ? $"{(char)('a' + random.Next(4))}" : "k";
        var key = $"{letter}{random.Next(4)}";
        switch (random.Next(4))
        {
            case 0:
                Write(keyspace, key);
                return true;
            case 1:
                var (start, end) = ($"{letter}{random.Next(2)}", $"{letter}{random.Next(2, 5)}");
                return TryScan(keyspace, start, end, random.Next(1, 6), random.OneIn(2) ? ScanDirection.Forward : ScanDirection.Backward);
            default:
                return TryRead(keyspace, key);
        }
    }

    /// <summary>Commits it, if that is right.</summary>
    public void Commit()
    {
        if (own.Count == 0)
        {
            // It saw one moment, and has nothing to lose.
            if (run.Try(() => Require(true, transaction.TryCommit()))) run.Counts.Commits++;
            return;
        }

        var isLate = own.Keys.Any(IsInDropped);
        bool? expected = isLate ? false : IsUnchanged();
        var durability = WriteOperation.Choose(run);
        ScenarioChange[] changes = [.. own.Select(write => ScenarioChange.Of(write.Key, write.Value))];
        run.Change(changes, [], durability == Durability.Sync, () =>
        {
            var isCommitted = false;
            try
            {
                isCommitted = transaction.TryCommit(durability);
            }
            catch (KeyspaceDroppedException) when (isLate)
            {
                return false;
            }

            Require(expected, isCommitted);
            if (isCommitted) run.Counts.Commits++;
            else run.Counts.Conflicts++;
            return isCommitted;
        });
    }

    public void Dispose() => transaction.Dispose();

    static void Require(bool? expected, bool isCommitted)
    {
        if (expected is not { } known || known == isCommitted) return;
        throw new ScenarioFailureException(
            FailureKind.WrongAnswer,
            isCommitted ? "a transaction is committed, and somebody has written what it had read"
            : "a transaction is in conflict, and nobody has written what it had read");
    }

    // Of those that are as they were when it began: it does not see the keys of one that was made since, even under an old name.
    Keyspace? PickKeyspace(out bool isFound)
    {
        isFound = true;
        if (run.Random.OneIn(2)) return null;
        var names = KeyspaceKeys.Names.Where(
            name => before.ContainsKey(KeyspaceKeys.Of(name)) && !droppedKeyspaces.Contains(name)).ToArray();
        if (names.Length == 0) return null;
        isFound = KeyspaceWriteOperation.TryFind(run, run.Random.Pick(names), out var keyspace);
        return keyspace;
    }

    void Write(Keyspace? keyspace, string key)
    {
        var value = run.Random.OneIn(4) ? null : ScenarioChange.NewValue(run.Model.Step + 1, own.Count, run.Random, mayBeLong: false);
        own[ModelKey(keyspace, key)] = value;
        var bytes = TestStore.Bytes(key);
        if (keyspace is null && value is null) transaction.Delete(bytes);
        else if (keyspace is null) transaction.Put(bytes, TestStore.Bytes(value!));
        else if (value is null) transaction.In(keyspace).Delete(bytes);
        else transaction.In(keyspace).Put(bytes, TestStore.Bytes(value));
    }

    bool TryRead(Keyspace? keyspace, string key)
    {
        var modelKey = ModelKey(keyspace, key);
        byte[]? found = null;
        if (!run.Try(() => found = ReaderOf(keyspace).Get(TestStore.Bytes(key)))) return false;
        if (!own.TryGetValue(modelKey, out var expected))
        {
            expected = before.GetValueOrDefault(modelKey);
            readKeys.Add(modelKey);
        }

        run.Counts.Reads++;
        var text = found is null ? null : Encoding.UTF8.GetString(found);
        if (text == expected) return true;
        throw new ScenarioFailureException(FailureKind.WrongAnswer, $"a transaction sees {modelKey} as '{text}', not as '{expected}'");
    }

    bool TryScan(Keyspace? keyspace, string start, string end, int most, ScanDirection direction)
    {
        var range = new KeySpan(ModelKey(keyspace, start), ModelKey(keyspace, end));
        var isForward = direction == ScanDirection.Forward;
        var (found, isAtEnd) = (new List<KeyValuePair<string, string>>(), false);
        if (!run.Try(Scan)) return false;
        run.Counts.Reads++;
        var all = Seen().Where(entry => range.Contains(entry.Key));
        var expected = StoreModel.Describe((isForward ? all : all.Reverse()).Take(most));
        if (StoreModel.Describe(found) is var text && text != expected)
        {
            throw new ScenarioFailureException(
                FailureKind.WrongAnswer,
                $"a transaction finds {StoreModel.Shorten(text)}\nand not {StoreModel.Shorten(expected)}");
        }

        readRanges.Add(
            isAtEnd ? range
            : isForward ? range with { End = found[^1].Key + '\0' }
            : range with { Start = found[^1].Key });
        return true;

        void Scan()
        {
            using var cursor = ReaderOf(keyspace).Scan(KeyRange.Between(TestStore.Bytes(start), TestStore.Bytes(end)), direction);
            while (found.Count < most)
            {
                if (isAtEnd = !cursor.MoveNext()) return;
                found.Add(new(ModelKey(keyspace, Encoding.UTF8.GetString(cursor.Key)), Encoding.UTF8.GetString(cursor.Value)));
            }
        }
    }

    SortedDictionary<string, string> Seen()
    {
        var seen = new SortedDictionary<string, string>(before, StringComparer.Ordinal);
        foreach (var (key, value) in own)
        {
            if (value is null) seen.Remove(key);
            else seen[key] = value;
        }

        return seen;
    }

    // Whether all that it has read is as it was. Null where it may be taken for changed although it is as it was: what was there in a
    // range for a moment, what was deleted and not there, and what was asked for in a keyspace that is gone.
    bool? IsUnchanged()
    {
        var now = run.Model.Content;
        var isSure = true;
        foreach (var key in readKeys)
        {
            var wasThere = before.ContainsKey(key);
            if (wasThere && writtenKeys.Contains(key)) return false;
            if (IsInDropped(key)) isSure = false;
            else if (!wasThere && now.ContainsKey(key)) return false;
        }

        foreach (var range in readRanges)
        {
            if (before.Keys.Any(key => range.Contains(key) && writtenKeys.Contains(key))) return false;
            var isDropped = IsInDropped(range.Start);
            if (!isDropped && now.Keys.Any(key => range.Contains(key) && !before.ContainsKey(key))) return false;
            isSure &= !isDropped && !writtenKeys.Any(range.Contains) && !deletedRanges.Exists(range.Overlaps);
        }

        return isSure ? true : null;
    }

    bool IsInDropped(string modelKey) =>
        KeyspaceKeys.TrySplit(modelKey, out var keyspace, out _) && droppedKeyspaces.Contains(keyspace);

    static string ModelKey(Keyspace? keyspace, string key) => keyspace is null ? key : KeyspaceKeys.Of(keyspace.Name, key);

    IKeyValueReader ReaderOf(Keyspace? keyspace) => keyspace is null ? transaction : transaction.In(keyspace);
}
