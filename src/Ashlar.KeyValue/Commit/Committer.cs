using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.Statistics;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Commit;

/// <summary>
/// What a leader does with its group: writes it, one leader at a time; and flushes, several at a time.
/// </summary>
/// <remarks>
/// Order: check conditions, assign sequences, encode, write to the log, insert into the memtable (not visible yet) while the disk
/// begins to write, flush if anyone asked for it, publish the sequence, wake. A SYNC write is therefore never readable before it is
/// durable. Everything up to reserving space in the log can fail without doubt: the group fails, the store goes on. From the write on, a
/// failure leaves the disk in doubt and poisons the store.
/// </remarks>
sealed class Committer : IDisposable
{
    const int KeptBufferBytes = 4 << 20;

    readonly StoreState state;
    readonly LogWriter log;
    readonly IBackground background;
    readonly PoisonLatch poison;
    readonly KeyValueOptions options;
    readonly DurabilityTracker durability;
    readonly InFlightSyncs inFlight;
    readonly ConditionChecker conditions;
    readonly RequiredFeatures features;
    readonly BatchAdmission admission;
    readonly Func<WriteBatch, Exception?> refusalOf;
    byte[] buffer = new byte[64 << 10];
    MemTable active;
    ulong lastSequence;
    long groups;
    bool isClosed;

    /// <summary>Takes over the memtable of the current version, and its creator's reference to it.</summary>
    public Committer(
        EngineContext engine, MemTable active, LogWriter log, IBackground background, DurabilityTracker durability, InFlightSyncs inFlight)
    {
        (state, poison, options) = (engine.State, engine.Poison, engine.Options);
        (this.active, this.log, this.background, this.durability, this.inFlight) = (active, log, background, durability, inFlight);
        conditions = new ConditionChecker(state, Counters);
        features = new RequiredFeatures(engine.Manifest);
        admission = new BatchAdmission(state, features, options.TimeProvider);
        refusalOf = admission.RefusalOf;
        lastSequence = state.VisibleSequence;
    }

    public CommitCounters Counters { get; } = new();

    public TimeProvider Clock => options.TimeProvider;

    /// <summary>Groups written to the log since the store was opened.</summary>
    public long Groups => Volatile.Read(ref groups);

    /// <summary>Flushes of the log since the store was opened.</summary>
    public long Syncs => log.Syncs;

    /// <summary>Bytes written to the log since the store was opened.</summary>
    public long LogBytesWritten => log.BytesWritten;

    /// <summary>Whether a segment of this opening is being written.</summary>
    public bool HasOpenLog => log.HasOpenSegment;

    /// <summary>Where the log ends; the leader's.</summary>
    public LogPosition End => new(lastSequence, log.SegmentBytes);

    /// <summary>Whether anything in the log is not durable; the leader's, under the gate.</summary>
    public bool HasUnsynced => log.UnsyncedBytes > 0;

    /// <summary>Why writes are refused.</summary>
    public Exception Refusal => poison.ToException();

    /// <summary>First stage: writes a group to log and memtable. Returns the last sequence there is.</summary>
    public ulong Write(CommitGroup group)
    {
        // A writer that was about to queue up when the store closed comes too late: the log is sealed.
        ClosedStore.ThrowIf(isClosed);
        if (group.Request == CommitRequest.Close)
        {
            isClosed = true;
            inFlight.WaitForAtMost(0);
        }

        if (poison.IsSet)
        {
            // The background may have met the doubt: whoever waits for durability learns it here, at the latest from the timer.
            durability.Fail(poison.ToException());
            throw poison.ToException();
        }

        try
        {
            switch (group.Request)
            {
                case CommitRequest.RotateMemTable:
                    if (!active.IsEmpty) Rotate();
                    break;
                case CommitRequest.ReserveKeyspaces:
                    admission.ReserveKeyspaces(lastSequence);
                    break;
                case CommitRequest.Close:
                    SealLog();
                    break;
                default:
                    WriteEntries(group);
                    break;
            }
        }
        catch (InDoubtException doubt)
        {
            Refuse(doubt.Cause);
            throw poison.ToException();
        }
        catch (InvariantException bug)
        {
            Refuse(bug); // What is believed of the store is wrong, so nothing more is written to it.
            throw poison.ToException();
        }

        return lastSequence;
    }

    /// <summary>Second stage: flushes the log by one of its file descriptions. Returns what went wrong.</summary>
    public Exception? Flush(int handle, out TimeSpan took)
    {
        var begun = options.TimeProvider.GetTimestamp();
        Exception? error = null;
        try
        {
            log.Sync(handle);
        }
        catch (Exception cause)
        {
            Refuse(cause);
            error = cause;
        }

        took = options.TimeProvider.GetElapsedTime(begun);
        return error;
    }

    /// <summary>Flushes count up to here; under the gate.</summary>
    public void Advance(LogPosition durable)
    {
        Invariant.Require(durable.Sequence <= lastSequence); // What nobody has written is not durable.
        log.MarkDurable(durable.EndOffset);
        durability.Advance(durable.Sequence);
    }

    /// <summary>Makes a group visible; under the gate, in order.</summary>
    public void Publish(ulong sequence) => state.Publish(sequence);

    /// <summary>Gives out no sequence up to this one: for a restore, which is alone and repeats those of the archive.</summary>
    public void SkipThrough(ulong sequence) => lastSequence = Math.Max(lastSequence, sequence);

    public void Dispose()
    {
        log.Dispose();
        active.Release();
    }

    void WriteEntries(CommitGroup group)
    {
        group.Refuse(refusalOf);
        try
        {
            MakeRoom(group);
        }
        catch (Exception refusal) when (
            refusal is not (InDoubtException or StorePoisonedException or InvariantException) && group.RefuseWriters(refusal))
        {
            // What is left needs no room.
        }

        if (group.HasChecks) conditions.RefuseUnmet(group);
        var (bodyLength, count) = Measure(group.Members);
        if (count == 0) return;
        AttachSegment();
        BoundLoss(group, LogGroupHeader.SizeBytes + bodyLength);
        try
        {
            var offset = Append(group.Members, bodyLength, count);
            if (group.NeedsSync) log.StartWriteBack(offset);
            Insert(group.Members, offset);
        }
        catch (Exception cause)
        {
            throw new InDoubtException(cause);
        }

        if (group.RangeDeletes > 0) background.WatchRanges();
        Volatile.Write(ref groups, groups + 1);
        if (buffer.Length > KeptBufferBytes) buffer = new byte[64 << 10];
    }

    void MakeRoom(CommitGroup group)
    {
        if (group.LengthBytes == 0) return;
        var isFull = background.IsFull(active, log.SegmentBytes) || HasNoRoomForRanges(group.RangeDeletes);
        background.WaitForRoom(group.LengthBytes, active, isFull);
        if (isFull) Rotate();
        poison.ThrowIfSet(); // The background may have met doubt meanwhile.
        ReserveLog(group);
        // Last: on a full disk the reserve has given up a little more than the log takes.
        if (group.RangeDeletes > 0) RequireRangeDeletes(group);
    }

    void RequireRangeDeletes(CommitGroup group)
    {
        background.WatchRanges();
        try
        {
            features.Require(StoreFeatures.RangeDeletes);
        }
        catch (Exception refusal) when (
            refusal is not (InDoubtException or StorePoisonedException or InvariantException) && group.RefuseRangeDeletes(refusal))
        {
            // The others need no feature.
        }
    }

    bool HasNoRoomForRanges(int added) =>
        added > 0 && active.RangeCount > 0 && active.RangeCount + added > WriteBatch.MaxRangeDeletes;

    static (int BodyLength, int Count) Measure(List<PendingWrite> members)
    {
        var (bodyLength, count) = (0, 0);
        foreach (var write in members)
        {
            bodyLength = checked(bodyLength + write.LengthBytes);
            count = checked(count + (write.Batch?.Count ?? 0));
        }

        return (bodyLength, count);
    }

    // Nobody is refused for want of space because others of the group have less of a claim on what is kept.
    void ReserveLog(CommitGroup group)
    {
        while (group.LengthBytes > 0)
        {
            try
            {
                background.ReserveLog(log, active, group.LengthBytes, group.LowestClaim);
                return;
            }
            catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace && group.RefuseLowestClaim(full))
            {
                // The others try for themselves.
            }
            catch (StorageException full) when (full.Errno == Errno.FileTooLarge && !active.IsEmpty)
            {
                Rotate(); // The next segment has room again for what the process may give to a file.
            }
        }
    }

    // A flush is started at half of what may be at risk; a writer waits for one only where that did not suffice.
    void BoundLoss(CommitGroup group, int length)
    {
        if (group.NeedsSync) return;
        var atRisk = log.UnsyncedBytes + length;
        if (group.HasRelaxed)
        {
            durability.StartTimer();
            if (atRisk > options.RelaxedLossBytes)
            {
                inFlight.WaitForAtMost(options.MaxInFlightSyncs - 1);
                if (log.UnsyncedBytes + length > options.RelaxedLossBytes) group.RequireSync();
            }
        }

        if (atRisk > options.RelaxedLossBytes / 2 && !options.BackgroundInline) durability.StartSync();
    }

    // A batch that is alone is written from where it was encoded.
    long Append(List<PendingWrite> members, int bodyLength, int count)
    {
        if (members.Count > 1 || !members[0].Batch!.TryFrame(out var framed))
            return log.Append(Encode(members, bodyLength), lastSequence + 1, count);
        try
        {
            return log.Append(framed, lastSequence + 1, count);
        }
        finally
        {
            members[0].Batch!.EndFrame();
        }
    }

    Span<byte> Encode(List<PendingWrite> members, int bodyLength)
    {
        var length = checked(LogGroupHeader.SizeBytes + bodyLength);
        if (buffer.Length < length)
            buffer = GC.AllocateUninitializedArray<byte>(Math.Max(length, Math.Min(KeptBufferBytes, 2 * buffer.Length)));
        var at = LogGroupHeader.SizeBytes;
        foreach (var write in members)
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

        if (!state.DeletedRanges.IsEmptyForWriter) ExcludeFromDeletedRanges(group);
    }

    // Before anything of the group is published.
    void ExcludeFromDeletedRanges(List<PendingWrite> group)
    {
        foreach (var write in group)
        {
            if (write.Batch is null) continue;
            var rest = write.Batch.Entries;
            while (!rest.IsEmpty)
            {
                var entry = LogEntry.Read(rest);
                if (entry.Kind.IsPut()) state.DeletedRanges.Exclude(entry.KeyIn(rest));
                rest = rest[entry.SizeBytes..];
            }
        }
    }

    /// <summary>
    /// Ends memtable and log segment together: what is in the one is in the other, and becomes obsolete with it.
    /// </summary>
    void Rotate()
    {
        background.WaitForRoom(0, active, needsMemTable: true);
        if (log.OpenSegment is not null) AttachSegment(); // One that nothing was written to yet ends with the memtable as well.
        SealLog();
        active.LastLogId = log.LastSegmentId;
        active.LastCommitTime = log.LastCommitTime;
        var full = active;
        var next = new MemTable();
        try
        {
            state.Replace(old => new StoreVersion(next, [full, .. old.Immutable], old.Tables));
        }
        catch (Exception cause)
        {
            throw new InDoubtException(cause); // Readers may have the new one already: nothing more may go into the old one.
        }

        active = next;
        full.Release();
        background.Signal();
    }

    // Every flush of the segment has returned before its seal is written, and everything in it is published.
    void SealLog()
    {
        inFlight.WaitForAtMost(0);
        poison.ThrowIfSet();
        try
        {
            log.Seal();
        }
        catch (Exception cause)
        {
            throw new InDoubtException(cause);
        }

        durability.Advance(lastSequence);
    }

    /// <summary>Under the gate: every write is refused. Who waits for durability learns of it by <see cref="Refuse"/>.</summary>
    public void Doubt(Exception cause) => poison.Set(cause);

    /// <summary>From here on every write is refused, because of this.</summary>
    public void Refuse(Exception cause)
    {
        poison.Set(cause);
        background.Wake();
        durability.Fail(poison.ToException());
    }
}
