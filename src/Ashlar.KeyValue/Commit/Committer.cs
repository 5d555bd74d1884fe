using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Commits groups of writes, one at a time, for the leader of the queue.
/// </summary>
/// <remarks>
/// Order: assign sequences, encode, write to the log, insert into the memtable (not visible yet), sync if anyone asked for it,
/// publish the sequence, wake. A SYNC write is therefore never readable before it is durable. Everything up to reserving space
/// in the log can fail without doubt: the group fails, the store goes on. From the write on, a failure leaves the disk in
/// doubt and poisons the store.
/// </remarks>
sealed class Committer : IDisposable
{
    const int KeptBufferBytes = 4 << 20;

    readonly StoreState state;
    readonly LogWriter log;
    readonly BackgroundWorker background;
    readonly PoisonLatch poison;
    readonly KeyValueOptions options;
    readonly DurabilityTracker durability;
    byte[] buffer = new byte[64 << 10];
    MemTable active;
    ulong lastSequence;
    long groups;
    bool isClosed;

    public Committer(
        StoreState state, MemTable active, ulong lastSequence, LogWriter log, BackgroundWorker background,
        PoisonLatch poison, KeyValueOptions options, DurabilityTracker durability)
    {
        this.state = state;
        this.active = active;
        this.lastSequence = lastSequence;
        this.log = log;
        this.background = background;
        this.poison = poison;
        this.options = options;
        this.durability = durability;
    }

    public CommitCounters Counters { get; } = new();

    /// <summary>Groups written to the log since the store was opened.</summary>
    public long Groups => Volatile.Read(ref groups);

    /// <summary>Flushes of the log since the store was opened.</summary>
    public long Syncs => log.Syncs;

    /// <summary>Bytes written to the log since the store was opened.</summary>
    public long LogBytesWritten => log.BytesWritten;

    /// <summary>Whether a segment of this opening is being written.</summary>
    public bool HasOpenLog => log.HasOpenSegment;

    public void Commit(List<PendingWrite> group)
    {
        // A writer that was about to queue up when the store closed comes too late: the log is sealed.
        ObjectDisposedException.ThrowIf(isClosed, typeof(KeyValueStore));
        if (group[0].Request == CommitRequest.Close) isClosed = true;
        if (poison.IsSet)
        {
            // The background may have met the doubt: whoever waits for durability learns it here, at the latest from the timer.
            durability.Fail(poison.ToException());
            throw poison.ToException();
        }

        try
        {
            switch (group[0].Request)
            {
                case CommitRequest.RotateMemTable:
                    if (!active.IsEmpty) Rotate();
                    break;
                case CommitRequest.Close:
                    InDoubt(SealLog);
                    break;
                default:
                    CommitWrites(group);
                    break;
            }
        }
        catch (InDoubtException doubt)
        {
            poison.Set(doubt.Cause);
            background.Wake();
            durability.Fail(poison.ToException());
            throw poison.ToException();
        }
    }

    public void Dispose()
    {
        log.Dispose();
        active.Release();
    }

    void CommitWrites(List<PendingWrite> group)
    {
        var bodyLength = 0;
        var count = 0;
        var needsSync = false;
        foreach (var write in group)
        {
            bodyLength = checked(bodyLength + write.LengthBytes);
            count = checked(count + (write.Batch?.Count ?? 0));
            needsSync |= write.NeedsSync;
        }

        if (count > 0)
        {
            // The log is bounded too: it is what recovery has to read.
            var isFull = active.UsedBytes >= options.MemTableBytes
                || (log.SegmentBytes >= options.LogSegmentBytes && !active.IsEmpty);
            background.WaitForRoom(bodyLength, active, isFull);
            if (isFull) Rotate();
            poison.ThrowIfSet(); // The background may have met doubt meanwhile.
            log.Reserve(bodyLength);
            AttachSegment();
            var bytes = Encode(group, bodyLength);
            needsSync |= log.UnsyncedBytes + bytes.Length > options.RelaxedLossBytes;
            try
            {
                Insert(group, log.Append(bytes, lastSequence + 1, count));
            }
            catch (Exception cause)
            {
                throw new InDoubtException(cause);
            }

            Volatile.Write(ref groups, groups + 1);
        }

        if (needsSync && options.PlantedBug != PlantedBug.AcknowledgeBeforeSync)
        {
            var begun = options.TimeProvider.GetTimestamp();
            InDoubt(log.Sync);
            Counters.Syncs.Add(options.TimeProvider.GetElapsedTime(begun));
            durability.Advance(lastSequence);
        }
        else if (count > 0)
        {
            durability.StartTimer();
        }

        state.Publish(lastSequence);
        if (buffer.Length > KeptBufferBytes) buffer = new byte[64 << 10];
    }

    Span<byte> Encode(List<PendingWrite> group, int bodyLength)
    {
        var length = checked(LogGroupHeader.SizeBytes + bodyLength);
        if (buffer.Length < length)
            buffer = GC.AllocateUninitializedArray<byte>(Math.Max(length, Math.Min(KeptBufferBytes, 2 * buffer.Length)));
        var at = LogGroupHeader.SizeBytes;
        foreach (var write in group)
        {
            if (write.Batch is null) continue;
            write.Batch.Entries.CopyTo(buffer.AsSpan(at));
            at += write.LengthBytes;
        }

        return buffer.AsSpan(0, length);
    }

    // Readers find the segment by what refers to it, so the memtable refers to it before it has an entry.
    void AttachSegment()
    {
        var segment = log.OpenSegment!;
        if (active.Segments.Count == 0 || active.Segments[^1] != segment) active.Attach(segment);
    }

    void Insert(List<PendingWrite> group, long groupOffset)
    {
        var segmentId = log.LastSegmentId;
        var offset = groupOffset + LogGroupHeader.SizeBytes;
        foreach (var write in group)
        {
            if (write.Batch is null) continue;
            Counters.CountBatch();
            var rest = write.Batch.Entries;
            while (!rest.IsEmpty)
            {
                var entry = LogEntry.Read(rest);
                active.Add(++lastSequence, segmentId, offset, entry, rest, options.SeparatedValueBytes);
                Counters.CountEntry(entry.Kind, entry.KeyLength, entry.ValueLength);
                rest = rest[entry.SizeBytes..];
                offset += entry.SizeBytes;
            }
        }
    }

    /// <summary>
    /// Ends memtable and log segment together: what is in the one is in the other, and becomes obsolete with it.
    /// </summary>
    void Rotate()
    {
        background.WaitForRoom(0, active, needsMemTable: true);
        InDoubt(SealLog);
        active.LastLogId = log.LastSegmentId;
        active.LastCommitTime = log.LastCommitTime;
        var full = active;
        var next = new MemTable();
        state.Replace(old => new StoreVersion(next, [full, .. old.Immutable], old.Tables));
        active = next;
        full.Release();
        background.Signal();
    }

    void SealLog()
    {
        log.Seal();
        durability.Advance(lastSequence);
    }

    static void InDoubt(Action write)
    {
        try
        {
            write();
        }
        catch (Exception cause)
        {
            throw new InDoubtException(cause);
        }
    }
}
