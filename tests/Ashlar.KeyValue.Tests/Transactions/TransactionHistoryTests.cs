using System.Globalization;
using System.Text;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Conditional writes and transactions of eight clients at once, beside plain writes, with memtables, tables and merges changing under
/// them:
/// every call must be explained by one order of all calls.
/// </summary>
public sealed class TransactionHistoryTests
{
    const int Clients = 8, CallsPerClient = 40, Pairs = 3;

    readonly List<RecordedCall<Call>>[] calls = [.. Enumerable.Range(0, Pairs).Select(_ => new List<RecordedCall<Call>>())];
    long time;
    int lastValue;

    enum Kind
    {
        Read = 0,
        Write,
        PutIfAbsent,
        Replace,
        Remove,
        Transaction,
    }

    [Theory, Seeds(count: 20)]
    public void Conditional_writes_and_transactions_are_linearizable(ulong seed)
    {
        var options = TestStore.Small(TestStore.NewDisk(), inline: false) with { MemTableBytes = 3000, TableBytes = 2048 };
        using (var store = KeyValueStore.Open(TestStore.Directory, options))
        {
            using var start = new Barrier(Clients);
            var threads = Enumerable.Range(0, Clients).Select(client => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    Run(store, SeededRandom.For(seed, $"client {client}"));
                },
                TaskCreationOptions.LongRunning)).ToArray();
            Task.WhenAll(threads).GetAwaiter().GetResult();
            for (var pair = 0; pair < Pairs; pair++) Record(pair, () => ReadBoth(store, pair));
        }

        foreach (var (pair, history) in calls.Index())
        {
            Assert.True(
                new LinearizabilityChecker<(int Left, int Right), Call>(default, Step).Check(history) == Linearizability.Yes,
                $"ASHLAR_SEED={seed}, pair {pair}: no order explains\n" + string.Join(
                    '\n', history.OrderBy(call => call.Begun).Select(call => $"  {call.Begun}..{call.Returned} {call.Operation}")));
        }

        Assert.Contains(calls.SelectMany(history => history), call => call.Operation is { Kind: Kind.Transaction, IsDone: true });
        Assert.Contains(calls.SelectMany(history => history), call => call.Operation is { Kind: > Kind.Write, IsDone: false });
    }

    void Run(KeyValueStore store, SeededRandom random)
    {
        for (var i = 0; i < CallsPerClient; i++)
        {
            var pair = random.Next(Pairs);
            var durability = (Durability)random.Next(3);
            var value = Interlocked.Increment(ref lastValue);
            switch (random.Next(7))
            {
                case 0: Record(pair, () => ReadBoth(store, pair)); break;
                case 1:
                    Record(pair, () =>
                    {
                        store.Put(Left(pair), Bytes(value), durability);
                        return new(Kind.Write, 0, 0, value, 0, true);
                    });
                    break;
                case 2:
                    Record(pair, () => new(Kind.PutIfAbsent, 0, 0, value, 0, store.PutIfAbsent(Left(pair), Bytes(value), durability)));
                    break;
                case 3:
                    {
                        var seen = Number(store.Get(Left(pair), out var info));
                        if (random.OneIn(2)) Thread.Yield();
                        Record(pair, () => new(
                            Kind.Replace, seen, 0, value, 0, store.PutIfUnchanged(Left(pair), Bytes(value), info.Sequence, durability)));
                        break;
                    }

                case 4:
                    {
                        var seen = Number(store.Get(Left(pair), out var info));
                        Record(pair, () => new(Kind.Remove, seen, 0, 0, 0, store.DeleteIfUnchanged(Left(pair), info.Sequence, durability)));
                        break;
                    }

                default:
                    Record(pair, () => Transact(store, pair, value, durability, random));
                    break;
            }
        }
    }

    // Reads both, by keys or by a scan, and writes one or both.
    static Call Transact(KeyValueStore store, int pair, int value, Durability durability, SeededRandom random)
    {
        using var transaction = store.BeginTransaction();
        int left = 0, right = 0;
        if (random.OneIn(2))
        {
            (left, right) = (Number(transaction.Get(Left(pair))), Number(transaction.Get(Right(pair))));
        }
        else
        {
            foreach (var entry in transaction.Scan(KeyRange.Prefix(TestStore.Bytes($"{pair} "))))
            {
                if (entry.Key[^1] == 'l') left = Number(entry.Value.ToArray());
                else right = Number(entry.Value.ToArray());
            }
        }

        if (random.OneIn(2)) Thread.Yield();
        var newLeft = random.OneIn(3) ? 0 : value;
        if (newLeft == 0) transaction.Delete(Left(pair));
        else transaction.Put(Left(pair), Bytes(newLeft));
        transaction.Put(Right(pair), Bytes(value));
        var isDone = random.OneIn(2)
            ? transaction.TryCommit(durability)
            : transaction.TryCommitAsync(durability).AsTask().GetAwaiter().GetResult();
        return new(Kind.Transaction, left, right, newLeft, value, isDone);
    }

    static Call ReadBoth(KeyValueStore store, int pair)
    {
        var both = store.MultiGet([Left(pair), Right(pair)]);
        return new(Kind.Read, Number(both[0]), Number(both[1]), 0, 0, true);
    }

    void Record(int pair, Func<Call> call)
    {
        var begun = Interlocked.Increment(ref time);
        var operation = call();
        var returned = Interlocked.Increment(ref time);
        lock (calls[pair]) calls[pair].Add(new(operation, begun, returned));
    }

    // Values are never written twice, so a key that holds what was seen is unchanged, unless it was absent.
    static bool Step((int Left, int Right) state, Call call, out (int Left, int Right) next)
    {
        next = state;
        switch (call.Kind)
        {
            case Kind.Read: return state == (call.SeenLeft, call.SeenRight);
            case Kind.Write:
                next = state with { Left = call.NewLeft };
                return true;
            case Kind.PutIfAbsent:
                if (call.IsDone) next = state with { Left = call.NewLeft };
                return call.IsDone == (state.Left == 0);
            case Kind.Replace or Kind.Remove:
                if (call.IsDone) next = state with { Left = call.NewLeft };
                return call.IsDone == (state.Left == call.SeenLeft);
            default:
                if (call.IsDone) next = (call.NewLeft, call.NewRight);
                return !call.IsDone || state == (call.SeenLeft, call.SeenRight);
        }
    }

    static byte[] Left(int pair) => TestStore.Bytes($"{pair} l");

    static byte[] Right(int pair) => TestStore.Bytes($"{pair} r");

    static byte[] Bytes(int value) => TestStore.Bytes($"{value}".PadRight(value % 9 == 0 ? 700 : 60));

    static int Number(byte[]? value) =>
        value is null ? 0 : int.Parse(Encoding.UTF8.GetString(value).TrimEnd(), CultureInfo.InvariantCulture);

    readonly record struct Call(Kind Kind, int SeenLeft, int SeenRight, int NewLeft, int NewRight, bool IsDone);
}
