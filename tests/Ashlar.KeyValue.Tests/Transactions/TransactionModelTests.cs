using System.Text;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Random transactions beside random writes of others, with memtables, tables and merges under them, against a dictionary and a list of
/// what was read: every answer, and whether the commit is a conflict.
/// </summary>
public sealed class TransactionModelTests
{
    const int Keys = 60;

    [Theory, Seeds(count: 12)]
    public void Transactions_see_what_they_should_and_conflict_exactly_when_they_must(ulong seed)
    {
        var random = new SeededRandom(seed);
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Tiny(TestStore.NewDisk(), seed));
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var (commits, conflicts) = (0, 0);
        for (var round = 0; round < 60; round++)
        {
            var one = new ModelledTransaction(store, model, random);
            for (var step = random.Next(1, 25); step > 0; step--)
            {
                if (random.OneIn(4)) one.WriteByOthers();
                else one.Step();
            }

            if (random.OneIn(4)) store.Compact();
            if (one.Commit()) commits++;
            else conflicts++;
            Assert.Equal(string.Join(' ', model.Select(pair => $"{pair.Key}={pair.Value}")), store.ReadAll());
        }

        Assert.True(commits > 5 && conflicts > 5, $"{commits} commits, {conflicts} conflicts");
        Assert.Equal((0, 0), (store.GetStatistics().Snapshots, store.GetStatistics().Cursors));
        Assert.Empty(store.Verify().Problems);
    }

    sealed class ModelledTransaction
    {
        readonly KeyValueStore store;
        readonly SortedDictionary<string, string> model;
        readonly SeededRandom random;
        readonly KeyValueTransaction transaction;
        readonly SortedDictionary<string, string> seen; // The moment, with its own writes on top.
        readonly HashSet<string> own = [];
        readonly Dictionary<string, bool> readKeys = []; // Whether each was present.
        readonly List<(string From, string? Through)> ranges = []; // No end: null.
        readonly HashSet<string> touched = []; // Written by others since.

        public ModelledTransaction(KeyValueStore store, SortedDictionary<string, string> model, SeededRandom random)
        {
            (this.store, this.model, this.random) = (store, model, random);
            transaction = store.BeginTransaction();
            seen = new(model, StringComparer.Ordinal);
        }

        public void WriteByOthers()
        {
            var key = Key();
            touched.Add(key);
            if (random.OneIn(3))
            {
                store.Delete(key);
                model.Remove(key);
            }
            else
            {
                store.Put(key, model[key] = Value(), Durability.Unflushed);
            }
        }

        public void Step()
        {
            var key = Key();
            switch (random.Next(6))
            {
                case 0:
                    own.Add(key);
                    transaction.Put(TestStore.Bytes(key), TestStore.Bytes(seen[key] = Value()));
                    break;
                case 1:
                    own.Add(key);
                    transaction.Delete(TestStore.Bytes(key));
                    seen.Remove(key);
                    break;
                case 2:
                    Read(key);
                    Assert.Equal(seen.GetValueOrDefault(key), transaction.Get(TestStore.Bytes(key)) is { } value ? Text(value) : null);
                    break;
                case 3:
                    Read(key);
                    Assert.Equal(seen.ContainsKey(key), transaction.ContainsKey(TestStore.Bytes(key)));
                    break;
                default:
                    Scan(key, Key(), random.OneIn(2), random.Next(0, 8));
                    break;
            }
        }

        public bool Commit()
        {
            var isConflict = own.Count > 0 && (readKeys.Any(IsChanged) || ranges.Exists(range => touched.Any(key => IsIn(range, key))));
            var isCommitted = random.OneIn(2)
                ? transaction.TryCommit(Durability.Unflushed)
                : transaction.TryCommitAsync(Durability.Relaxed).AsTask().GetAwaiter().GetResult();
            Assert.Equal(!isConflict, isCommitted);
            foreach (var key in isCommitted ? own : [])
            {
                if (seen.TryGetValue(key, out var value)) model[key] = value;
                else model.Remove(key);
            }

            transaction.Dispose();
            return isCommitted;
        }

        bool IsChanged(KeyValuePair<string, bool> read) =>
            touched.Contains(read.Key) && (read.Value || model.ContainsKey(read.Key));

        static bool IsIn((string From, string? Through) range, string key) =>
            string.CompareOrdinal(key, range.From) >= 0 && (range.Through is null || string.CompareOrdinal(key, range.Through) <= 0);

        void Read(string key)
        {
            if (!own.Contains(key)) readKeys.TryAdd(key, seen.ContainsKey(key));
        }

        void Scan(string first, string second, bool isForward, int steps)
        {
            var (from, to) = string.CompareOrdinal(first, second) < 0 ? (first, second) : (second, first);
            using var cursor = transaction.Scan(
                KeyRange.Between(TestStore.Bytes(from), TestStore.Bytes(to)), isForward ? ScanDirection.Forward : ScanDirection.Backward);
            var expected = seen.Where(pair => IsIn((from, Before(to)), pair.Key)).ToList();
            if (!isForward) expected.Reverse();
            var begin = isForward ? from : Before(to);
            var at = -1;
            string? last = null;
            for (var step = 0; step < steps; step++)
            {
                bool isThere;
                if (random.OneIn(4))
                {
                    if (last is not null) Passed(isForward, begin, last);
                    begin = Key();
                    at = expected.FindIndex(
                        pair => string.CompareOrdinal(pair.Key, begin) is var order && (isForward ? order >= 0 : order <= 0));
                    if (at < 0) at = expected.Count;
                    isThere = cursor.Seek(TestStore.Bytes(begin));
                    if (isForward && string.CompareOrdinal(begin, from) < 0) begin = from;
                    if (!isForward && string.CompareOrdinal(begin, to) >= 0) begin = Before(to);
                }
                else
                {
                    at = Math.Min(at + 1, expected.Count);
                    isThere = cursor.MoveNext();
                }

                Assert.Equal(at < expected.Count, isThere);
                last = isThere ? expected[at].Key : isForward ? Before(to) : from;
                if (!isThere) continue;
                Assert.Equal(expected[at].Key, Text(cursor.Key));
                Assert.Equal(expected[at].Value, Text(cursor.Value));
            }

            if (last is not null) Passed(isForward, begin, last);
        }

        void Passed(bool isForward, string begin, string last)
        {
            var (from, through) = isForward ? (begin, last) : (last, begin);
            if (string.CompareOrdinal(from, through) <= 0) ranges.Add((from, through));
        }

        // The last key that there can be before another one: all have two digits.
        static string Before(string key) => $"{int.Parse(key, System.Globalization.CultureInfo.InvariantCulture) - 1:d2}";

        string Key() => $"{random.Next(10, 10 + Keys)}";

        string Value() => $"{random.Next(1000)}".PadRight(random.Next(1, 300), '.');

        static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
    }
}
