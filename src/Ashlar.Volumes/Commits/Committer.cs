using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Group commit, on threads that may wait. A request that arrives while a commit runs joins the next one, with all others that arrive
/// meanwhile; commits run one at a time.
/// </summary>
/// <remarks>
/// <para>Crash order of a commit:</para>
/// <para>1. Capture the changed leaves, each under its write lock, with the free space that belongs to exactly them.
/// Crash: nothing has changed on disk.</para>
/// <para>2. Flush the data device. Every captured leaf speaks of data whose write completed before the capture.
/// Crash: the data is there, the old map does not speak of it.</para>
/// <para>3. Write leaves and bitmaps to the store, durably. 3 before 2 would let the map call blocks valid that are not
/// there. Crash within: each batch is there or not, and each is consistent by itself.</para>
/// <para>4. Answer, and hand what the durable leaves have let go of to the reclaimer, which punches it and then gives it out again.
/// 4 before 3 would let another volume overwrite a place that the map on disk still gives to its old owner. Before 4 the log of
/// recent writes (<see cref="RecentWrites"/>) hears that the leaves are in the store: else it could speak of a place that has another
/// owner.</para>
/// <para>A spill leaves out 2 and waits for nothing in 3, so until the next step 2 a checksum in the store may be newer than its block:
/// a crash finds the block under its marker, and old, new or torn it is what it could have been without the spill. Step 2 of a later
/// commit is what lets go of such a marker; cleared before, it would make an old block look like damage.</para>
/// <para>A commit in which snapshots are taken begins a new generation before 1, so that whoever changes a leaf from then on keeps it as
/// it was, and waits for those who were about to change one; captures everything; and after 3 writes down that the snapshots are
/// there. Leaves of the new generation are captured by later commits. Written down before 3, a snapshot would lack what was acknowledged
/// before it, and what it needs could be overwritten.</para>
/// <para>A commit ends in one of three ways. Done. Refused: the disk of the map is full, and nothing is in doubt; what was captured
/// is kept, in order, and written by the next commit before anything else. In doubt: everything else that fails latches the
/// pool.</para>
/// </remarks>
partial class Committer : IDisposable
{
    const int MaxLeavesInline = 16;

    readonly PoolParts parts;
    readonly IBlockDevice device;
    readonly MetadataWriter metadata;
    readonly ChunkSpace space;
    readonly FragmentSpace fragments;
    readonly OverwriteMarkers markers;
    readonly Reclaimer reclaimer;
    readonly FailureLatch failure;
    readonly PoolOptions options;
    readonly ChangedLeaves changed;
    readonly FlushDemand demand;
    readonly SerialWorker worker;
    readonly Lock gate = new();
    readonly AsyncLock turn = new();
    readonly Queue<CommitBatch> captured = new(); // Not written yet, oldest first.
    readonly List<LeafMarks> spilled = []; // Their checksums are written, the data may not be durable.
    List<Cut> cuts = []; // Of the commit that runs.
    SharedCompletion? nextRound;
    CommitScope nextScope;
    List<Cut> nextCuts = [];
    bool isDisposed;
    long deviceWrites;
    long flushedWrites;
    long commits, dataFlushes, leavesWritten;
    RecentMark mark;

    public Committer(PoolParts parts)
    {
        this.parts = parts;
        (device, metadata, space, fragments, markers) = (parts.Device, parts.Metadata, parts.Space, parts.Fragments, parts.Markers);
        (reclaimer, failure, options, changed) = (parts.Reclaimer, parts.Failure, parts.Options, parts.ChangedLeaves);
        deviceWrites = 1; // What an earlier life left in the cache of the device is not known to be durable.
        demand = new FlushDemand(device, options.TimeProvider);
        worker = new SerialWorker(RunRound);
    }

    public long Commits => Interlocked.Read(ref commits);

    public long DataFlushes => Interlocked.Read(ref dataFlushes);

    public long LeavesWritten => Interlocked.Read(ref leavesWritten);

    /// <summary>What the store says of the log of recent writes when the pool is opened. Before the first commit.</summary>
    public RecentMark Mark
    {
        set => mark = value;
    }

    /// <summary>Whether a flush would have to write the map.</summary>
    public bool HasChangedMaps => changed.MapCount > 0 || captured.Count > 0;

    /// <summary>Whether the commit that runs takes snapshots.</summary>
    protected bool IsCutting => cuts.Count > 0;

    /// <summary>Whether leaves were captured that are not in the store yet, because it refused them.</summary>
    public bool HasUnwritten => captured.Count > 0;

    /// <summary>
    /// A write to the device has ended, well or not: the next flush must reach the device. After the write, for a flush that ran
    /// meanwhile may not have covered it, and before its leaf's lock is given back, for the leaf may be captured from then on.
    /// </summary>
    public void DeviceWritten() => Interlocked.Increment(ref deviceWrites);

    /// <summary>Commits everything that completed before this call.</summary>
    /// <exception cref="DeviceFullException">Refused for want of space; nothing is in doubt, and a later commit may succeed.</exception>
    /// <exception cref="DeviceIOException">In doubt, now or before: the pool accepts no writes until it is opened again.</exception>
    public ValueTask RunAsync(CommitScope scope)
    {
        if (scope == CommitScope.Flush) demand.Asked();
        if (Join(scope, mayRunHere: IsShort(scope), out var isHere) is not { } round)
            return ValueTask.FromException(new ObjectDisposedException(metadata.PoolName));
        if (isHere) worker.RunHere();
        return round.Task;
    }

    /// <summary>
    /// Takes snapshots: commits everything that completed before some moment of this call, and nothing that began after it.
    /// </summary>
    /// <exception cref="DeviceFullException">Refused for want of space; the snapshots are not there.</exception>
    /// <exception cref="DeviceIOException">In doubt: the pool accepts no writes until it is opened again.</exception>
    public ValueTask CutAsync(Cut cut)
    {
        return Join(CommitScope.Checksums, mayRunHere: false, out _, cut) is { } round
            ? round.Task
            : ValueTask.FromException(new ObjectDisposedException(metadata.PoolName));
    }

    /// <summary>Asks for a commit that nobody waits for.</summary>
    public void Request(CommitScope scope) => Join(scope, mayRunHere: false, out _);

    /// <summary>Ends after the commits that were asked for.</summary>
    public void Dispose()
    {
        lock (gate) isDisposed = true;
        worker.Dispose();
    }

    /// <summary>Steps 1 to 4.</summary>
    protected virtual void Commit(CommitScope scope)
    {
        WriteKept();
        foreach (var cut in cuts) Begin(cut);
        var recent = scope > CommitScope.Spill ? parts.Recent.CommitBegins() : (-1, 0);
        Capture(scope);
        if (scope > CommitScope.Spill && captured.Count > 0) MarkRecent(captured.Last(), floor: recent.Sequence);
        if (scope > CommitScope.Spill)
        {
            FlushData();
            SettleSpilled();
        }

        WriteMap();
        parts.Recent.Committed(recent.Segment);
        foreach (var cut in cuts) cut.Complete();
        metadata.Probe();
        if (scope == CommitScope.Checksums) markers.Clear(options.MarkerQuietTime);
    }

    /// <summary>
    /// What an earlier commit captured and the store refused. Before anything is captured: no leaf is ever in two batches that are not
    /// written, so what memory holds of its committed state is always that of the last one.
    /// </summary>
    protected void WriteKept()
    {
        if (captured.Count > 0)
        {
            FlushData();
            WriteMap();
        }

        Invariant.Require(captured.Count == 0);
    }

    /// <summary>Begins a new generation; when it returns nobody changes anything of the old one any more.</summary>
    protected virtual void Begin(Cut cut)
    {
        // The snapshot before the generation: who sees the new generation must see what there is to keep.
        foreach (var volume in cut.Volumes)
        {
            volume.RefreshNewest();
            Invariant.Require(volume.NewestSnapshot == cut.Generation);
        }

        parts.Generation.Advance(cut.Generation + 1);
        foreach (var volume in cut.Volumes) Wait(volume.PassWritersAsync());
        cut.Begun();
    }

    /// <summary>Step 1.</summary>
    protected virtual void Capture(CommitScope scope)
    {
        CommitBatch? batch = null;
        foreach (var leaf in changed.Take(scope))
        {
            // Under the write lock no write is under way. Without it a first overwrite of a block that no commit has seen yet
            // could be half done, without a marker, while the captured leaf calls the block valid.
            Wait(leaf.WriteLock.EnterAsync());
            try
            {
                if (batch is null) captured.Enqueue(batch = new CommitBatch(isSpill: scope == CommitScope.Spill));
                var fresh = batch.Capture(leaf, space, fragments);
                if (!fresh.IsEmpty && !metadata.IsExhausted && parts.Rules.MarksAhead(leaf)) markers.MarkAhead(leaf, fresh);
            }
            finally
            {
                leaf.WriteLock.Exit();
            }

            if (!batch.IsFull) continue;
            Seal(batch);
            batch = null;
        }

        if (batch is not null) Seal(batch);
    }

    /// <summary>Step 1, for the free space of one batch.</summary>
    protected virtual void Seal(CommitBatch batch)
    {
        batch.Seal(space, fragments);
        MarkRecent(batch, mark.Floor);
    }

    // Of the batches of a commit the last one says that what was logged before it is over; also where nothing is logged any more, for a log
    // of an earlier life may be there.
    void MarkRecent(CommitBatch batch, ulong floor)
    {
        if (!parts.Recent.HasPlace || batch.LeafCount == 0) return;
        mark = new RecentMark(parts.Recent.Sequence, floor);
        batch.Entries.Put(MapKeys.RecentMark, mark.ToBytes());
    }

    /// <summary>Step 2.</summary>
    protected virtual void FlushData()
    {
        // Read before the flush: what completes during it may not be covered.
        var written = Interlocked.Read(ref deviceWrites);
        if (written == flushedWrites) return;
        try
        {
            Wait(device.FlushAsync());
        }
        catch (Exception cause)
        {
            failure.Latch(cause); // Whatever its kind: what was written may be lost.
            throw;
        }

        flushedWrites = written;
        Interlocked.Increment(ref dataFlushes);
    }

    /// <summary>After step 2, which covers all that was written before it: what was spilled by then is as good as committed.</summary>
    protected virtual void SettleSpilled()
    {
        foreach (var marks in spilled) markers.Committed(marks);
        spilled.Clear();
    }

    /// <summary>Steps 3 and 4, batch by batch.</summary>
    protected void WriteMap()
    {
        while (captured.TryPeek(out var batch))
        {
            if (batch.LeafCount > 0) WriteBatch(batch);
            captured.Dequeue();
            parts.Recent.LogCovered(batch.ListCovered());
            parts.Recent.LogCovered(batch.Completed(markers, spilled));
            Release(batch);
        }

        fragments.Trim();
    }

    /// <summary>Writes one batch, durably unless it is a spill.</summary>
    protected virtual void WriteBatch(CommitBatch batch)
    {
        if (batch.Entries.Count > 0) metadata.WriteOrUseReserve(batch.Entries, batch.IsSpill ? Durability.Relaxed : Durability.Sync);
        Interlocked.Add(ref leavesWritten, batch.LeafCount);
        Interlocked.Increment(ref commits);
    }

    /// <summary>Step 4 for one batch.</summary>
    protected virtual void Release(CommitBatch batch)
    {
        if (batch.Released.Count > 0) reclaimer.Add(batch.Released);
        if (batch.ReleasedBlocks.Count > 0) fragments.Free(batch.ReleasedBlocks);
        if (batch.HasReplacement) parts.SpaceMayHaveLeaked();
    }

    SharedCompletion? Join(CommitScope scope, bool mayRunHere, out bool isHere, Cut? cut = null)
    {
        isHere = false;
        lock (gate)
        {
            if (isDisposed) return null;
            if (cut is not null) nextCuts.Add(cut);
            if (scope > nextScope) nextScope = scope;
            if (nextRound is not null) return nextRound;

            // First: if it cannot, nobody must wait for it. It gets the gate after us.
            if (mayRunHere) isHere = worker.WakeOrEnter();
            else worker.Wake();
            return nextRound = new SharedCompletion();
        }
    }

    // Whether it will be over soon, so that a thread may do it whom others wait for: one that receives from a client.
    bool IsShort(CommitScope scope) =>
        scope == CommitScope.Flush
        && changed.MapCount <= MaxLeavesInline
        && captured.Count == 0
        && !turn.IsHeld
        && device is ICachingDevice { IsFlushShort: true };

    // The thread of a commit may simply wait.
    static void Wait(ValueTask task)
    {
        if (task.IsCompletedSuccessfully) return;
        task.AsTask().GetAwaiter().GetResult();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever it was, it is what the waiters are told, and the pool is latched.")]
    SerialWorker.Outcome RunRound()
    {
        SharedCompletion? round;
        CommitScope scope;
        lock (gate)
        {
            (round, nextRound) = (nextRound, null);
            (scope, nextScope) = (nextScope, CommitScope.Spill);
            (cuts, nextCuts) = (nextCuts, []);
        }

        if (round is null) return default;
        Wait(turn.EnterAsync());
        demand.Tell();
        try
        {
            failure.ThrowIfLatched();
            Commit(scope);
            return new(round);
        }
        catch (DeviceFullException refused) when (failure.First is null)
        {
            return new(round, refused);
        }
        catch (Exception cause)
        {
            failure.Latch(cause);
            return new(round, failure.ToError(failure.First!));
        }
        finally
        {
            turn.Exit();
        }
    }
}
