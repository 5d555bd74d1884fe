using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.Statistics;

/// <summary>What the leaders of commits count; one leads at a time.</summary>
sealed class CommitCounters
{
    long puts;
    long deletes;
    long rangeDeletes;
    long batches;
    long bytes;
    long checks;
    long refusedChecks;

    public long Puts => Volatile.Read(ref puts);

    public long Deletes => Volatile.Read(ref deletes);

    public long RangeDeletes => Volatile.Read(ref rangeDeletes);

    /// <summary>Batches; a put or delete of its own is one, too.</summary>
    public long Batches => Volatile.Read(ref batches);

    /// <summary>Keys and values.</summary>
    public long Bytes => Volatile.Read(ref bytes);

    /// <summary>Writes whose conditions a leader has looked at.</summary>
    public long Checks => Volatile.Read(ref checks);

    /// <summary>Those of them that were not written.</summary>
    public long RefusedChecks => Volatile.Read(ref refusedChecks);

    /// <summary>Flushes, added under the gate of the commit queue: several may end at once.</summary>
    public LatencyHistogram Syncs { get; } = new();

    public void CountCheck(bool isRefused)
    {
        Volatile.Write(ref checks, checks + 1);
        if (isRefused) Volatile.Write(ref refusedChecks, refusedChecks + 1);
    }

    public void CountBatch() => Volatile.Write(ref batches, batches + 1);

    public void CountEntry(EntryKind kind, int keyBytes, int valueBytes)
    {
        if (kind == EntryKind.Delete) Volatile.Write(ref deletes, deletes + 1);
        else if (kind == EntryKind.RangeDelete) Volatile.Write(ref rangeDeletes, rangeDeletes + 1);
        else Volatile.Write(ref puts, puts + 1);
        Volatile.Write(ref bytes, bytes + keyBytes + valueBytes);
    }
}
