using System.Buffers.Binary;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Several threads write at once, each numbering what it writes; some wait for the disk, some do not. What a power cut leaves
/// must be the beginning of what each wrote, with nothing in it that came after something that is missing.
/// </summary>
static class ConcurrentCrashWorkload
{
    const string Directory = "/data/store";
    const int Writers = 4, WritesEach = 40;

    sealed record WriteBegun(int Writer, int Number);

    sealed record WriteDone(int Writer, int Number, bool IsDurable);

    public static void Run(SimulatedFileSystem disk, ulong seed)
    {
        using var store = KeyValueStore.Open(Directory, Options(disk, seed));
        var threads = Enumerable.Range(0, Writers).Select(writer =>
        {
            var thread = new Thread(() => Write(store, disk, writer, SeededRandom.For(seed, $"writer {writer}")));
            thread.Start();
            return thread;
        }).ToArray();
        foreach (var thread in threads) thread.Join();
    }

    public static void Check(CrashState state)
    {
        using var store = KeyValueStore.Open(Directory, Options(state.Disk, state.Seed) with { BackgroundInline = true });
        state.RecoveryDone();
        var found = new int[Writers];
        for (var writer = 0; writer < Writers; writer++)
        {
            found[writer] = Number(store.Get(Key(writer, -1)));
            for (var slot = 0; slot < 5; slot++)
            {
                // The newest number up to the counter that belongs to this slot.
                var expected = Enumerable.Range(1, found[writer]).LastOrDefault(number => number % 5 == slot);
                if (Number(store.Get(Key(writer, slot))) is var number && number != expected)
                    throw new InvalidOperationException(
                        $"Half a batch: writer {writer} counts {found[writer]}, slot {slot} holds {number} instead of {expected}.");
            }
        }

        RequirePrefix(state.Marks, found);
        if (!store.Verify().IsClean) throw store.Verify().Problems[0];
    }

    static void RequirePrefix(IReadOnlyList<object> marks, int[] found)
    {
        var done = new int[Writers];
        var begun = new int[Writers];
        var promised = new int[Writers];
        foreach (var mark in marks)
        {
            switch (mark)
            {
                case WriteBegun write:
                    begun[write.Writer] = write.Number;
                    if (found[write.Writer] < write.Number) break;
                    for (var other = 0; other < Writers; other++)
                    {
                        if (found[other] < done[other])
                            throw new InvalidOperationException(
                                $"A hole: write {write.Number} of {write.Writer} is there, write {done[other]} of {other}, which was done "
                                    + $"before, is not.");
                    }

                    break;
                case WriteDone write:
                    done[write.Writer] = write.Number;
                    if (write.IsDurable) promised[write.Writer] = write.Number;
                    break;
            }
        }

        for (var writer = 0; writer < Writers; writer++)
        {
            if (found[writer] < promised[writer] || found[writer] > begun[writer])
                throw new InvalidOperationException(
                    $"Writer {writer} was promised {promised[writer]} and began {begun[writer]} writes; {found[writer]} are there.");
        }
    }

    static void Write(KeyValueStore store, SimulatedFileSystem disk, int writer, SeededRandom random)
    {
        var batch = new WriteBatch();
        for (var number = 1; number <= WritesEach; number++)
        {
            var value = new byte[number % 9 == 0 ? 700 : 40];
            BinaryPrimitives.WriteInt32LittleEndian(value, number);
            batch.Clear();
            batch.Put(Key(writer, number % 5), value);
            batch.Put(Key(writer, -1), value);
            var isDurable = random.OneIn(2);
            disk.Mark(new WriteBegun(writer, number));
            if (random.OneIn(2)) store.Write(batch, isDurable ? Durability.Sync : Durability.Relaxed);
            else store.WriteAsync(batch, isDurable ? Durability.Sync : Durability.Relaxed).AsTask().GetAwaiter().GetResult();
            disk.Mark(new WriteDone(writer, number, isDurable));
        }
    }

    static byte[] Key(int writer, int slot) => TestStore.Bytes(slot < 0 ? $"counter {writer}" : $"slot {writer} {slot}");

    static int Number(byte[]? value) => value is null ? 0 : BinaryPrimitives.ReadInt32LittleEndian(value);

    static KeyValueOptions Options(SimulatedFileSystem disk, ulong seed) => RandomHistory.Options(disk, seed) with
    {
        MemTableBytes = 6000,
        BackgroundInline = false,
        RelaxedLossBytes = 1 << 20,
    };
}
