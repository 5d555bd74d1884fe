using System.Diagnostics;

namespace Ashlar.KeyValue.Bench;

/// <summary>Puts, one or a batch at a time.</summary>
sealed class PutWorker(KeyValueStore store, BenchOptions options, KeySequence keys, Durability durability, long bytesPerSecond = 0)
    : Worker
{
    readonly byte[] key = KeyEncoding.NewKey(options.KeyBytes);
    readonly ValuePool values = new(options.ValueBytes);
    readonly WriteBatch batch = new();
    readonly long begin = Stopwatch.GetTimestamp();

    protected override int Step()
    {
        PutBytes += (long)options.BatchCount * (options.KeyBytes + options.ValueBytes);
        if (options.BatchCount == 1)
        {
            KeyEncoding.Write(key, keys.Next());
            store.Put(key, values.Next(), durability);
            return 1;
        }

        batch.Clear();
        for (var i = 0; i < options.BatchCount; i++)
        {
            KeyEncoding.Write(key, keys.Next());
            batch.Put(key, values.Next());
        }

        store.Write(batch, durability);
        return options.BatchCount;
    }

    protected override long Pause(long now)
    {
        if (bytesPerSecond == 0) return now;
        var due = begin + (long)((double)PutBytes / bytesPerSecond * Stopwatch.Frequency);
        if (due <= now) return now;
        Thread.Sleep(Stopwatch.GetElapsedTime(now, due));
        return Stopwatch.GetTimestamp();
    }
}
