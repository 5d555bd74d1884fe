using System.Buffers.Binary;
using System.Diagnostics;

namespace Ashlar.KeyValue.Bench;

/// <summary>
/// Uses the store as a queue: an operation finds the next entry; outside of what is timed, that is deleted and another one put at the end,
/// or a hundred at a time, deleted by one range. Now and then nothing is done for a second, in which the background may catch up.
/// </summary>
sealed class QueueWorker : Worker
{
    const int Waiting = 1000;
    const int Rests = 10;

    readonly KeyValueStore store;
    readonly Durability durability;
    readonly long operations;
    readonly int perRange;
    readonly ValuePool values;
    readonly int valueBytes;
    readonly byte[] key;
    readonly byte[] next;
    long put;
    long taken;
    long done;

    public QueueWorker(KeyValueStore store, BenchOptions options, Durability durability, bool usesRanges)
    {
        this.store = store;
        perRange = usesRanges ? 100 : 0;
        this.durability = durability;
        operations = options.Num;
        valueBytes = options.ValueBytes;
        values = new ValuePool(valueBytes);
        (key, next) = (new byte[options.KeyBytes], new byte[options.KeyBytes]);
        while (put < Waiting) Put();
    }

    protected override int Step()
    {
        using var cursor = store.Scan(KeyRange.All);
        if (!cursor.MoveNext()) throw new InvalidOperationException("The queue is empty.");
        cursor.Key.CopyTo(next);
        return 1;
    }

    protected override long Pause(long now)
    {
        if (BinaryPrimitives.ReadInt64BigEndian(next) != taken) throw new InvalidOperationException($"Entry {taken} is not the next one.");
        Take();
        if (++done % Math.Max(1, operations / Rests) == 0) Thread.Sleep(TimeSpan.FromSeconds(1));
        return Stopwatch.GetTimestamp();
    }

    void Take()
    {
        if (perRange == 0)
        {
            store.Delete(next, durability);
            taken++;
            Put();
            return;
        }

        taken += perRange;
        BinaryPrimitives.WriteInt64BigEndian(next, taken);
        store.DeleteRange(KeyRange.Before(next), durability);
        for (var number = 0; number < perRange; number++) Put();
    }

    void Put()
    {
        BinaryPrimitives.WriteInt64BigEndian(key, put++);
        store.Put(key, values.Next(), durability);
        PutBytes += key.Length + valueBytes;
    }
}
