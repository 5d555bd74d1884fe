using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Commit;

/// <summary>
/// Writers that are committed together. It forms while others write or flush: whoever comes joins the last group that has
/// room. All members sleep on one word, so that one system call wakes them.
/// </summary>
/// <remarks>
/// What is marked so is guarded by the gate of the queue. Groups are pooled: one is reused when every blocking member and the
/// work item for the others have left it.
/// </remarks>
sealed class CommitGroup(Action<CommitGroup> recycle) : IThreadPoolWorkItem
{
    readonly List<PendingWrite> members = [];
    readonly List<AsyncWrite> asyncMembers = [];
    readonly WaitWord done = new();
    bool forming;
    int blockingMembers;
    int holders;
    int nextToComplete;
    int rangeDeletes; // Of all who joined.

    /// <summary>In the order in which they joined.</summary>
    public List<PendingWrite> Members => members;

    public CommitRequest Request { get; private set; }

    /// <summary>Whether any member waits for the disk. Guarded until the group is taken.</summary>
    public bool NeedsSync { get; private set; }

    /// <summary>Whether any member wants its loss bounded. Guarded until the group is taken.</summary>
    public bool HasRelaxed { get; private set; }

    /// <summary>Whether any member has conditions. Guarded until the group is taken.</summary>
    public bool HasChecks { get; private set; }

    public long LengthBytes { get; private set; }

    /// <summary>Sequence of the last entry; the leader's.</summary>
    public ulong LastSequence { get; set; }

    /// <summary>The flush that makes it durable; 0 if it waits for none. Guarded.</summary>
    public long AwaitedSync { get; set; }

    /// <summary>Links groups that are finished and not yet woken.</summary>
    public CommitGroup? NextFinished { get; set; }

    /// <summary>What went wrong; read it once the group is done.</summary>
    public Exception? Error { get; private set; }

    public bool IsDone => done.Value != 0;

    /// <summary>
    /// Whether a write may join. One that does not wait for the disk takes none along that does: its own wait would be as long.
    /// </summary>
    public bool Accepts(PendingWrite write) =>
        Request == CommitRequest.Write && write.Request == CommitRequest.Write
        && (NeedsSync || !write.NeedsSync) && LengthBytes + write.LengthBytes <= LogGroupLimit.Bytes
        && rangeDeletes + write.RangeDeletes <= WriteBatch.MaxRangeDeletes;

    public void Join(PendingWrite write)
    {
        if (members.Count == 0) (Request, IsForming) = (write.Request, true);
        members.Add(write);
        LengthBytes += write.LengthBytes;
        rangeDeletes += write.RangeDeletes;
        NeedsSync |= write.NeedsSync;
        HasRelaxed |= write.Durability == Durability.Relaxed;
        HasChecks |= write.Check is not null;
        if (write is AsyncWrite async)
        {
            if (asyncMembers.Count == 0) holders++;
            asyncMembers.Add(async);
            return;
        }

        holders++;
        blockingMembers++;
    }

    /// <summary>The leader found that the group must be durable whatever its members asked for.</summary>
    public void RequireSync() => NeedsSync = true;

    /// <summary>Whether it may still be joined.</summary>
    public bool IsForming { get => Volatile.Read(ref forming); private set => Volatile.Write(ref forming, value); }

    /// <summary>Whether a member is awake and waits a moment for others to join. Guarded.</summary>
    public bool IsGathered { get; set; }

    /// <summary>Closes the list: from now on no member can be cancelled.</summary>
    public void Take()
    {
        IsForming = false;
        if (asyncMembers.Count == 0) return;
        members.RemoveAll(static write => write is AsyncWrite async && !async.TryTake());
    }

    /// <summary>
    /// On a full disk: fails the members with the least claim on what is kept, so that the others can go on. The leader's.
    /// </summary>
    /// <returns>Whether any are left; if not, nobody was refused.</returns>
    public bool RefuseLowestClaim(Exception refusal)
    {
        var lowest = LowestClaim;
        if (!members.Exists(write => write.Claim > lowest)) return false;
        foreach (var write in members)
        {
            if (write.Claim != lowest) continue;
            write.Refusal = refusal;
            LengthBytes -= write.LengthBytes;
        }

        members.RemoveAll(write => write.Refusal is not null);
        return true;
    }

    /// <summary>
    /// Nothing can be written, for a reason that leaves no doubt: fails the members that have anything to write, so that those that only
    /// wait for a flush get it. The leader's.
    /// </summary>
    /// <returns>Whether any are left; if not, nobody was refused.</returns>
    public bool RefuseWriters(Exception refusal)
    {
        if (!members.Exists(static write => write.LengthBytes == 0)) return false;
        foreach (var write in members)
        {
            if (write.LengthBytes > 0) write.Refusal = refusal;
        }

        members.RemoveAll(static write => write.Refusal is not null);
        LengthBytes = 0;
        return true;
    }

    /// <summary>Fails the members that delete a range, for a reason that leaves no doubt. The leader's.</summary>
    /// <returns>Whether any are left; if not, nobody was refused.</returns>
    public bool RefuseRangeDeletes(Exception refusal)
    {
        if (members.TrueForAll(static write => write.Batch is { HasRangeDeletes: true })) return false;
        foreach (var write in members)
        {
            if (write.Batch is not { HasRangeDeletes: true }) continue;
            write.Refusal = refusal;
            LengthBytes -= write.LengthBytes;
        }

        members.RemoveAll(static write => write.Refusal is not null);
        return true;
    }

    /// <summary>
    /// Takes out the members whose conditions were found not to hold: they are told when the group is done, and nothing else is done for
    /// them, not even a flush. The leader's.
    /// </summary>
    public void RemoveUnmet()
    {
        members.RemoveAll(static write => write.Check is { Outcome: not CheckOutcome.Holds });
        LengthBytes = 0;
        NeedsSync = HasRelaxed = false;
        foreach (var write in members)
        {
            LengthBytes += write.LengthBytes;
            NeedsSync |= write.NeedsSync;
            HasRelaxed |= write.Durability == Durability.Relaxed;
        }
    }

    /// <summary>Fails the members whose batches are refused, for reasons of their own. The leader's.</summary>
    public void Refuse(Func<WriteBatch, Exception?> refusalOf)
    {
        var isRefused = false;
        foreach (var write in members)
        {
            if (write.Batch is null || refusalOf(write.Batch) is not { } refusal) continue;
            write.Refusal = refusal;
            LengthBytes -= write.LengthBytes;
            isRefused = true;
        }

        if (isRefused) members.RemoveAll(static write => write.Refusal is not null);
    }

    /// <summary>How many ranges its members delete. The leader's.</summary>
    public int RangeDeletes
    {
        get
        {
            var sum = 0;
            foreach (var write in members) sum += write.RangeDeletes;
            return sum;
        }
    }

    /// <summary>The least claim of any member on what is kept for a full disk. The leader's.</summary>
    public SpaceClaim LowestClaim
    {
        get
        {
            var lowest = SpaceClaim.All;
            foreach (var write in members) lowest = write.Claim < lowest ? write.Claim : lowest;
            return lowest;
        }
    }

    public void WaitUntilDone() => done.WaitWhile(0);

    /// <summary>Everything about the group is decided; <see cref="WakeMembers"/> must follow.</summary>
    public void Finish(Exception? error)
    {
        Invariant.Require(!IsDone);
        Error = error;
        Interlocked.Increment(ref holders); // Whoever finishes it still has to wake the others.
        done.Value = 1;
    }

    /// <summary>Wakes blocking members by one call, if there are any but the caller, and completes the others elsewhere.</summary>
    /// <param name="own">The group that the calling thread is a member of, if it is.</param>
    public void WakeMembers(CommitGroup? own)
    {
        if (blockingMembers > (own == this ? 1 : 0)) done.WakeAll();
        if (asyncMembers.Count > 0) Schedule();
        Leave();
    }

    /// <summary>Whoever needed the group does not any more.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref holders) != 0) return;
        members.Clear();
        asyncMembers.Clear();
        blockingMembers = 0;
        nextToComplete = 0;
        rangeDeletes = 0;
        NeedsSync = false;
        HasRelaxed = false;
        HasChecks = false;
        LengthBytes = 0;
        LastSequence = 0;
        AwaitedSync = 0;
        Error = null;
        NextFinished = null;
        done.Value = 0;
        recycle(this);
    }

    void Schedule() => WorkerThreads.Completions.Post(this);

    // Continuations of callers run here and may block, even on another member of the group. So before each run of them there is
    // a work item that would go on with the rest.
    void IThreadPoolWorkItem.Execute()
    {
        if (Volatile.Read(ref nextToComplete) < asyncMembers.Count - 1)
        {
            Interlocked.Increment(ref holders);
            Schedule();
        }

        for (var i = Interlocked.Increment(ref nextToComplete); i <= asyncMembers.Count; i = Interlocked.Increment(ref nextToComplete))
            asyncMembers[i - 1].Complete(asyncMembers[i - 1].Refusal ?? Error);
        Leave();
    }
}
