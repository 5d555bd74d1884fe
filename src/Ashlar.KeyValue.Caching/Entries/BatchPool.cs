using System.Collections.Concurrent;

namespace Ashlar.KeyValue.Caching.Entries;

/// <summary>Batches that are used again, with their memory.</summary>
sealed class BatchPool
{
    const int MaxKept = 32, MaxKeptBytes = 256 << 10;

    readonly ConcurrentQueue<WriteBatch> batches = new();

    public WriteBatch Rent() => batches.TryDequeue(out var batch) ? batch : new WriteBatch();

    /// <summary>Takes back a batch whose write has returned; one whose write has failed is left to the collector.</summary>
    public void Return(WriteBatch batch)
    {
        if (batch.LengthBytes > MaxKeptBytes || batches.Count >= MaxKept) return;
        batch.Clear();
        batches.Enqueue(batch);
    }
}
