using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// The log of what was written and is not committed yet. Data are in the page cache, or on the disk, when a write is answered; where they
/// lie is in the memory of the process until a commit. The log says it too, in the page cache and without a sync, so that a process
/// that dies, by a signal or an error of its own, loses nothing that was answered. Power loss takes it along with what it speaks of.
/// </summary>
/// <remarks>
/// <para>Invariant: whatever the store does not have of a leaf, the log has, in the order in which it happened; and while the log has more
/// of a leaf than it needs, no place that it speaks of belongs to anybody else. So:</para>
/// <list type="number">
/// <item>a record of a write comes before its data, with their checksums: what lies there is the new, or the old, of which there is a
/// record as well; records of zeros come before the answer. The leaf counts as changed before the record is written: the commit that
/// takes the changed leaves from then on captures it, after the write, under the leaf's write lock;</item>
/// <item>what overwrites blocks that the store has where they are needs no record: their marker says so;</item>
/// <item>when a leaf is durable in the store a record says so, before what is done to it goes unlogged, and before anything that it has
/// let go of is given out (<see cref="Committer"/>, between its steps 3 and 4); and with the last batch of a commit the store says
/// which records had been written when it began (<see cref="RecentMark"/>): they are over, whatever the log has lost by then;</item>
/// <item>a segment is used again when a commit is done that began after the segment was full.</item>
/// </list>
/// <para>A log that cannot be written is deleted, for with a gap it could bring back what is gone; if that fails too, the pool is
/// latched. What nobody has flushed is then lost with the process, until the pool is opened again.</para>
/// </remarks>
class RecentWrites : IDisposable
{
    const long RequestBytes = 32 << 20, WaitBytes = 96 << 20;

    readonly RecentWritesPlace? place;
    readonly FailureLatch failure;
    readonly PoolEvents events;
    readonly string poolName;
    readonly RecentSegments? segments;
    readonly Lock gate = new();
    readonly byte[] buffer = new byte[Math.Max(RecentWriteFormat.MaxRecordBytes, 64 << 10)];
    RecentWritesIdentity identity;
    ulong sequence;
    volatile bool isOn;

    public RecentWrites(
        RecentWritesPlace? place, FailureLatch failure, PoolEvents events, string poolName, long segmentBytes = 4 << 20)
    {
        (this.place, this.failure, this.events, this.poolName) = (place, failure, events, poolName);
        if (place is not null) segments = new RecentSegments(place, segmentBytes);
    }

    /// <summary>Whether writes are logged.</summary>
    public bool IsOn => isOn;

    /// <summary>Whether there may be a log.</summary>
    public bool HasPlace => place is not null;

    /// <summary>Whether there is so much of it that a commit should begin.</summary>
    public bool IsLong => segments is { TotalBytes: > RequestBytes };

    /// <summary>Whether writers should wait for one.</summary>
    public bool IsTooLong => segments is { TotalBytes: > WaitBytes };

    /// <summary>Sequence of the last record.</summary>
    public ulong Sequence
    {
        get
        {
            lock (gate) return sequence;
        }
    }

    /// <summary>While an earlier life's log is taken up: where what it had at home lies; null otherwise.</summary>
    public RecoveredHomes? Homes { get; set; }

    /// <summary>Finds the log that an earlier life has left, and ends all that is none; null where there is none.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="life">Who had it open, as the store says.</param>
    /// <param name="mark">What the store says of it.</param>
    /// <exception cref="DeviceIOException">It cannot be read, now or at all.</exception>
    public RecentWriteRecords? Find(Guid pool, Guid? life, RecentMark mark)
    {
        if (place is null) return null;
        string[] paths;
        RecentWriteRecords? records = null;
        try
        {
            paths = RecentSegments.Find(place);
            if (life is { } known)
                records = RecentWriteRecords.Read(
                    place.FileSystem, paths, new RecentWritesIdentity(pool, place.BootId, known), FloorOf(mark));
        }
        catch (StorageException cause)
        {
            // With the next life it would be of another one, and gone.
            throw new DeviceIOException(
                poolName,
                $"the log of recent writes cannot be read: {cause.Message}; without the files in {place.Directory} the pool opens, and "
                + "what nobody had flushed when the server was killed is lost",
                isTransient: true,
                cause);
        }

        if (records is { IsEmpty: false })
        {
            if (records.Last >= mark.Needed) return records;
            Report("the log of recent writes has lost its end: what nobody had flushed is not taken up");
        }

        try
        {
            foreach (var path in paths) place.FileSystem.Delete(path);
        }
        catch (StorageException)
        {
            // Another life's: nobody takes it up.
        }

        return null;
    }

    /// <summary>Begins a log, behind the records of an earlier life where there are some: those stay until a commit has covered them.
    /// </summary>
    /// <param name="pool">The pool.</param>
    /// <param name="life">Who has it open, as the store says.</param>
    /// <param name="after">No sequence up to here is used again.</param>
    /// <param name="earlier">What <see cref="Find"/> found.</param>
    public void Begin(Guid pool, Guid life, ulong after, RecentWriteRecords? earlier)
    {
        if (place is null) return;
        lock (gate)
        {
            identity = new RecentWritesIdentity(pool, place.BootId, life);
            sequence = Math.Max(after, earlier?.Last ?? 0);
            try
            {
                segments!.TakeOver(earlier?.Paths ?? []);
                BeginSegment();
                isOn = true;
            }
            catch (StorageException cause)
            {
                ReportOff(cause); // What an earlier life left stays until it is covered.
            }
        }
    }

    /// <summary>Blocks of a leaf are about to be written where a plan says. Call under the leaf's write lock.</summary>
    /// <param name="leaf">The leaf, which counts as changed, unless all blocks are marked.</param>
    /// <param name="plan">Where they go, with their checksums.</param>
    /// <param name="blocks">The blocks.</param>
    /// <param name="marked">Those of them whose marker will do when what is captured of the leaf is in the store.</param>
    /// <returns>Its sequence; 0 when nothing was logged.</returns>
    public virtual ulong LogWrite(Leaf leaf, LeafPlan plan, BlockSet blocks, BlockSet marked)
    {
        Invariant.Require(leaf.WriteLock.IsHeld && !blocks.IsEmpty && (leaf.Dirt == LeafDirt.Map || marked.Contains(blocks)));
        lock (gate)
        {
            if (!isOn) return 0;
            RecentWriteFormat.BeginRecord(
                buffer, RecentKind.Write, plan.IsAtomic ? RecentFlags.Atomic : RecentFlags.None, leaf.Volume.Lineage, leaf.Index);
            var length = RecentWriteFormat.RecordHeaderBytes;
            for (var block = 0; block < MapLayout.BlocksPerLeaf;)
            {
                if (!blocks.Contains(block))
                {
                    block++;
                    continue;
                }

                var (isMarked, isHome) = (marked.Contains(block), IsHome(plan, block));
                var end = block + 1;
                while (end < MapLayout.BlocksPerLeaf
                    && blocks.Contains(end)
                    && marked.Contains(end) == isMarked
                    && IsHome(plan, end) == isHome
                    && plan.TargetOf(end) == plan.TargetOf(end - 1) + 1
                    && plan.TargetBirthOf(end) == plan.TargetBirthOf(block)) end++;
                length += RecentWriteFormat.WriteRun(
                    buffer.AsSpan(length),
                    block,
                    (isMarked ? RecentRunFlags.Marked : RecentRunFlags.None) | (isHome ? RecentRunFlags.Home : RecentRunFlags.None),
                    plan.TargetOf(block),
                    plan.TargetBirthOf(block),
                    plan.NewChecksums[block..end]);
                block = end;
            }

            return Append(length);
        }
    }

    /// <summary>Blocks of a leaf read as zeros. Call under the leaf's write lock.</summary>
    public virtual ulong LogZeros(Leaf leaf, int firstBlock, int blockCount, bool keep)
    {
        Invariant.Require(leaf.WriteLock.IsHeld && leaf.Dirt == LeafDirt.Map);
        lock (gate)
        {
            if (!isOn) return 0;
            RecentWriteFormat.BeginRecord(
                buffer, RecentKind.Zeros, keep ? RecentFlags.Keep : RecentFlags.None, leaf.Volume.Lineage, leaf.Index);
            var body = buffer.AsSpan(RecentWriteFormat.RecordHeaderBytes);
            BinaryPrimitives.WriteUInt16LittleEndian(body, checked((ushort)firstBlock));
            BinaryPrimitives.WriteUInt16LittleEndian(body[2..], checked((ushort)blockCount));
            return Append(RecentWriteFormat.RecordHeaderBytes + 4);
        }
    }

    /// <summary>A write that was logged did not take place.</summary>
    public void LogVoid(Leaf leaf, ulong write)
    {
        lock (gate)
        {
            if (!isOn) return;
            RecentWriteFormat.BeginRecord(buffer, RecentKind.Void, RecentFlags.None, leaf.Volume.Lineage, leaf.Index);
            BinaryPrimitives.WriteUInt64LittleEndian(buffer.AsSpan(RecentWriteFormat.RecordHeaderBytes), write);
            Append(RecentWriteFormat.RecordHeaderBytes + 8);
        }
    }

    /// <summary>The store has these leaves, durably; what they have let go of is not given out yet.</summary>
    public virtual void LogCovered(IReadOnlyList<CoveredLeaf> leaves)
    {
        if (leaves.Count == 0) return;
        lock (gate)
        {
            foreach (var leaf in leaves)
            {
                if (!isOn) return;
                RecentWriteFormat.BeginRecord(buffer, RecentKind.Covered, RecentFlags.None, leaf.Lineage, leaf.LeafIndex);
                var body = buffer.AsSpan(RecentWriteFormat.RecordHeaderBytes);
                BinaryPrimitives.WriteUInt64LittleEndian(body, leaf.Through);
                BinaryPrimitives.WriteUInt64LittleEndian(body[8..], leaf.MarkedThrough);
                Append(RecentWriteFormat.RecordHeaderBytes + 16);
            }
        }
    }

    /// <summary>A commit begins that will capture every leaf that is changed by now. Ask before it takes the changed leaves.</summary>
    /// <returns>What it covers: segments, for <see cref="Committed"/>, and records.</returns>
    public (long Segment, ulong Sequence) CommitBegins()
    {
        lock (gate) return (segments?.LastFull ?? -1, sequence);
    }

    /// <summary>That commit is done: segments that were full before can be used again.</summary>
    public void Committed(long covered)
    {
        if (segments is null) return;
        lock (gate)
        {
            segments.Release(covered);
            if (isOn) return;
            try
            {
                segments.DeleteSpare();
            }
            catch (StorageException left)
            {
                failure.Latch(left); // It would be believed, and what came since is in no log.
            }
        }
    }

    /// <summary>Ends the log.</summary>
    /// <param name="isNeeded">Whether the next life may need it.</param>
    public void Close(bool isNeeded)
    {
        lock (gate)
        {
            isOn = false;
            if (isNeeded)
            {
                segments?.Close();
                return;
            }

            try
            {
                segments?.DeleteAll();
            }
            catch (StorageException)
            {
                // The store says that the pool was closed: nobody takes it up.
            }
        }
    }

    public void Dispose() => Close(isNeeded: true);

    static bool IsHome(LeafPlan plan, int block) =>
        plan.TargetOf(block) / MapLayout.BlocksPerChunk == plan.Entries[block / MapLayout.BlocksPerChunk].Chunk;

    ulong Append(int length)
    {
        Invariant.Require(length is > RecentWriteFormat.RecordHeaderBytes and <= RecentWriteFormat.MaxRecordBytes);
        try
        {
            if (segments!.NeedsNext(length)) BeginSegment();
            RecentWriteFormat.EndRecord(buffer.AsSpan(0, length), sequence + 1);
            segments.Append(buffer.AsSpan(0, length));
            return ++sequence;
        }
        catch (StorageException cause)
        {
            Break(cause);
            return 0;
        }
    }

    void BeginSegment()
    {
        Span<byte> header = stackalloc byte[RecentWriteFormat.HeaderBytes];
        RecentWriteFormat.WriteHeader(header, identity, sequence + 1);
        segments!.Begin(header);
    }

    /// <summary>Ends the log where the map's disk does not let it end by itself: it takes more and more of that disk.</summary>
    public void GiveUp(Exception cause)
    {
        lock (gate)
            if (isOn) Break(cause);
    }

    // With a gap it could bring back what is gone. It is off when it is gone: who looks without the gate may go on unlogged then.
    void Break(Exception cause)
    {
        try
        {
            // What an earlier life left is not over before it is taken up and committed.
            if (Homes is null) segments!.DeleteAll();
            else segments!.DeleteOwn();
        }
        catch (StorageException left)
        {
            failure.Latch(left);
        }

        isOn = false;
        ReportOff(cause);
    }

    void ReportOff(Exception cause) => Report(
        "the log of recent writes cannot be written: until the pool is opened again, what nobody has flushed is lost if the server is "
        + $"killed: {cause.Message}",
        cause);

    /// <summary>Up to where a log that is taken up is over.</summary>
    protected virtual ulong FloorOf(RecentMark mark) => mark.Floor;

    void Report(string message, Exception? cause = null) =>
        events.Report(PoolEventKind.Recovery, PoolEventSeverity.Warning, message, cause: cause);
}
