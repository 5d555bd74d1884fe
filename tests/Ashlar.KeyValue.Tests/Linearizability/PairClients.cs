using System.Globalization;
using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Clients that write and read pairs of keys at once, each call recorded with its place in time. All calls on one pair are
/// one history.
/// </summary>
sealed class PairClients(ulong seed, int clients, int callsPerClient, bool onlyDurable)
{
    const int Pairs = 4;

    readonly List<RecordedCall<PairOperation>>[] calls = [.. Enumerable.Range(0, Pairs).Select(_ => new List<RecordedCall<PairOperation>>())];
    long time;
    int lastValue;

    public IReadOnlyList<IReadOnlyList<RecordedCall<PairOperation>>> Histories => calls;

    /// <summary>Runs all clients to their end, which is also when the store refuses further writes.</summary>
    public void Run(KeyValueStore store)
    {
        using var start = new Barrier(clients);
        var threads = Enumerable.Range(0, clients).Select(client =>
        {
            var thread = new Thread(() =>
            {
                start.SignalAndWait();
                RunClient(store, SeededRandom.For(seed, $"client {client}"));
            });
            thread.Start();
            return thread;
        }).ToArray();
        foreach (var thread in threads) thread.Join();
    }

    /// <summary>Reads every pair once more, as a client that comes after all the others.</summary>
    public void ReadAll(KeyValueStore store)
    {
        for (var pair = 0; pair < Pairs; pair++) ReadBoth(store, pair, useCursor: true);
    }

    void RunClient(KeyValueStore store, SeededRandom random)
    {
        for (var i = 0; i < callsPerClient; i++)
        {
            if (random.OneIn(8)) Thread.Yield();
            var pair = random.Next(Pairs);
            var left = random.OneIn(2);
            switch (random.Next(10))
            {
                case < 3:
                    if (!Write(store, random, pair, left ? Value() : null, left ? null : Value())) return;
                    break;
                case 3:
                    if (!Write(store, random, pair, left ? 0 : null, left ? null : 0)) return;
                    break;
                case < 6:
                    var both = Value();
                    if (!Write(store, random, pair, both, random.OneIn(6) ? 0 : both)) return;
                    break;
                case < 8: ReadOne(store, pair, left); break;
                default: ReadBoth(store, pair, useCursor: left); break;
            }
        }
    }

    int Value() => Interlocked.Increment(ref lastValue);

    /// <summary>False once the store is in doubt.</summary>
    bool Write(KeyValueStore store, SeededRandom random, int pair, int? left, int? right)
    {
        var batch = new WriteBatch();
        Add(batch, Key(pair, true), left);
        Add(batch, Key(pair, false), right);
        var durability = onlyDurable || random.OneIn(2) ? Durability.Sync : Durability.Relaxed;
        var isAsynchronous = random.OneIn(3);
        var operation = PairOperation.Write(left, right);
        var begun = Interlocked.Increment(ref time);
        try
        {
            if (isAsynchronous) store.WriteAsync(batch, durability).AsTask().GetAwaiter().GetResult();
            else store.Write(batch, durability);
            Remember(pair, operation, begun);
            return true;
        }
        catch (StorePoisonedException)
        {
            lock (calls[pair]) calls[pair].Add(new(operation, begun, RecordedCall<PairOperation>.Never));
            return false;
        }
        catch (StorageException)
        {
            // Refused: it must not have happened, so it is no part of the history.
            return true;
        }
    }

    void ReadOne(KeyValueStore store, int pair, bool left)
    {
        var begun = Interlocked.Increment(ref time);
        var found = Number(store.Get(Key(pair, left)));
        Remember(pair, PairOperation.Read(left ? found : null, left ? null : found), begun);
    }

    void ReadBoth(KeyValueStore store, int pair, bool useCursor)
    {
        var begun = Interlocked.Increment(ref time);
        int left = 0, right = 0;
        if (useCursor)
        {
            using var cursor = store.Scan(KeyRange.Prefix(TestStore.Bytes($"pair {pair} ")), pair % 2 == 0 ? ScanDirection.Forward : ScanDirection.Backward);
            while (cursor.MoveNext())
            {
                if (cursor.Key[^1] == 'l') left = Number(cursor.Value.ToArray());
                else right = Number(cursor.Value.ToArray());
            }
        }
        else
        {
            using var snapshot = store.CreateSnapshot();
            left = Number(snapshot.Get(Key(pair, true)));
            Thread.Yield();
            right = Number(snapshot.Get(Key(pair, false)));
        }

        Remember(pair, PairOperation.Read(left, right), begun);
    }

    void Remember(int pair, PairOperation operation, long begun)
    {
        var returned = Interlocked.Increment(ref time);
        lock (calls[pair]) calls[pair].Add(new(operation, begun, returned));
    }

    static void Add(WriteBatch batch, byte[] key, int? value)
    {
        if (value is null) return;
        // Some are long enough for a place of their own.
        if (value == 0) batch.Delete(key);
        else batch.Put(key, TestStore.Bytes($"{value}".PadRight(value % 9 == 0 ? 1500 : 60)));
    }

    static byte[] Key(int pair, bool left) => TestStore.Bytes($"pair {pair} {(left ? 'l' : 'r')}");

    static int Number(byte[]? value) => value is null ? 0 : int.Parse(Encoding.UTF8.GetString(value).TrimEnd(), CultureInfo.InvariantCulture);
}
