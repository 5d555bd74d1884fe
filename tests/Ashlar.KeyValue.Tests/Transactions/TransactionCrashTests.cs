using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Power cuts at every point of transactions of several threads, each of which reads a counter, writes the next number, and an entry of
/// that number: a transaction is there as a whole, numbers are given out once, and what was promised as durable is.
/// </summary>
public sealed class TransactionCrashTests
{
    const string Directory = "/data/store";
    const int Writers = 3, WritesEach = 12;

    sealed record Committed(int Number, bool IsDurable);

    sealed record Taken(string Key, bool IsDurable);

    [Fact]
    public void A_power_cut_leaves_transactions_as_a_whole_or_not_at_all()
    {
        var first = TestSeeds.First(nameof(A_power_cut_leaves_transactions_as_a_whole_or_not_at_all));
        var workloads = new CrashExplorerOptions().Replay is null ? TestTier.Choose(1, 8) : 1;
        var distinct = 0L;
        for (var seed = first; seed < first + (ulong)workloads; seed++)
        {
            var chosen = seed;
            var options = new CrashExplorerOptions
            {
                Seed = seed,
                StateBudget = TestTier.Choose(250, 800),
                NestedOneIn = 40,
                NestedBudget = 10,
            };
            distinct += CrashExplorer.Explore(disk => Run(disk, chosen), Check, options).Images;
        }

        if (new CrashExplorerOptions().Replay is null) Assert.True(distinct >= workloads * 100L, $"only {distinct} distinct disks");
    }

    static void Run(SimulatedFileSystem disk, ulong seed)
    {
        using var store = KeyValueStore.Open(Directory, Options(disk, seed));
        var threads = Enumerable.Range(0, Writers).Select(writer =>
        {
            var thread = new Thread(() => Write(store, disk, SeededRandom.For(seed, $"writer {writer}")));
            thread.Start();
            return thread;
        }).ToArray();
        foreach (var thread in threads) thread.Join();
        if (Number(store.Get("counter"u8)) != Writers * WritesEach) throw new InvalidOperationException("A number was given out twice.");
    }

    static void Write(KeyValueStore store, SimulatedFileSystem disk, SeededRandom random)
    {
        for (var i = 0; i < WritesEach; i++)
        {
            var durability = random.OneIn(2) ? Durability.Sync : Durability.Relaxed;
            var number = store.Transact(
                transaction =>
                {
                    var next = Number(transaction.Get("counter"u8)) + 1;
                    transaction.Put("counter"u8, Bytes(next, 40));
                    transaction.Put(EntryOf(next), Bytes(next, next % 7 == 0 ? 700 : 40));
                    if (next > 1) transaction.Delete(TestStore.Bytes($"last {next - 1}"));
                    transaction.Put(TestStore.Bytes($"last {next}"), "x"u8);
                    return next;
                },
                durability,
                maxAttempts: 100_000);
            disk.Mark(new Committed(number, durability == Durability.Sync));
            var key = $"once {random.Next(20)}";
            if (store.PutIfAbsent(TestStore.Bytes(key), "x"u8, durability)) disk.Mark(new Taken(key, durability == Durability.Sync));
        }
    }

    static void Check(CrashState state)
    {
        using var store = KeyValueStore.Open(Directory, Options(state.Disk, state.Seed) with { BackgroundInline = true });
        state.RecoveryDone();
        var count = Number(store.Get("counter"u8));
        for (var number = 1; number <= Writers * WritesEach; number++)
        {
            if (store.ContainsKey(EntryOf(number)) != number <= count
                || store.ContainsKey(TestStore.Bytes($"last {number}")) != (number == count))
                throw new InvalidOperationException($"Half a transaction: the counter is {count}, and number {number} says otherwise.");
        }

        var promised = state.Marks.OfType<Committed>().Where(mark => mark.IsDurable).Select(mark => mark.Number).DefaultIfEmpty().Max();
        if (count < promised) throw new InvalidOperationException($"Number {promised} was promised, and the counter is {count}.");
        foreach (var taken in state.Marks.OfType<Taken>().Where(mark => mark.IsDurable))
        {
            if (!store.ContainsKey(TestStore.Bytes(taken.Key)))
                throw new InvalidOperationException($"{taken.Key} was put durably because it was absent, and is.");
        }

        if (!store.Verify().IsClean) throw store.Verify().Problems[0];
    }

    static byte[] EntryOf(int number) => TestStore.Bytes($"entry {number:d3}");

    static byte[] Bytes(int number, int length)
    {
        var value = new byte[length];
        BinaryPrimitives.WriteInt32LittleEndian(value, number);
        return value;
    }

    static int Number(byte[]? value) => value is null ? 0 : BinaryPrimitives.ReadInt32LittleEndian(value);

    static KeyValueOptions Options(SimulatedFileSystem disk, ulong seed) => RandomHistory.Options(disk, seed) with
    {
        MemTableBytes = 6000,
        BackgroundInline = false,
        RelaxedLossBytes = 1 << 20,
    };
}
