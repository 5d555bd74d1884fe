using System.Collections.Concurrent;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Caching.Entries;

/// <summary>Batches that are used again, with their memory. Invariant: who rents one writes nothing of others by it.</summary>
sealed class BatchPool
{
    const int MaxKept = 32, MaxKeptBytes = 256 << 10;

    readonly ConcurrentQueue<WriteBatch> batches = new();

    public WriteBatch Rent()
    {
        if (!batches.TryDequeue(out var batch)) return new WriteBatch();
        Invariant.Require(batch.Count == 0);
        return batch;
    }

    /// <summary>Takes back a batch whose write has returned; one whose write has failed is left to the collector.</summary>
    public void Return(WriteBatch batch)
    {
        if (batch.LengthBytes > MaxKeptBytes || batches.Count >= MaxKept) return;
        batch.Clear();
        batches.Enqueue(batch);
    }
}
