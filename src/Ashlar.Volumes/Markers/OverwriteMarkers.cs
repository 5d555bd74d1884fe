using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Markers say which blocks are being overwritten in place. Data and checksum are two writes, so a crash between them leaves
/// a block that fails its checksum without being damaged. A marker that is durable before the first such write tells the two
/// apart: a marked block that does not match is taken as it is and counted, any other is damaged.
/// </summary>
/// <remarks>
/// All markers are written by one worker, one batch after the other, each with the masks as they are in memory at that moment; so
/// a clearing can never undo a later marking, whoever runs first.
/// </remarks>
class OverwriteMarkers : IDisposable
{
    const int MaxClearedAtOnce = 4096;

    // Beyond it a thread that receives from a client leaves the next write to another.
    static readonly TimeSpan ShortTime = TimeSpan.FromMilliseconds(2);

    readonly MetadataWriter metadata;
    readonly PoolOptions options;
    readonly SerialWorker writer;
    readonly Lock gate = new();
    readonly Dictionary<(long Lineage, long LeafIndex), LeafMarks> marks = [];
    readonly WriteBatch batch = new();
    readonly List<LeafMarks> pending = []; // Marks, which writers wait for.
    readonly Queue<LeafMarks> clearing = new();
    readonly List<(LeafMarks Marks, BlockSet Written)> written = [];
    SharedCompletion? nextWrite;
    bool pendingIsUrgent;
    long syncs;
    long markedLeaves, markedBlocks;
    TimeSpan lastWriteTook;

    public OverwriteMarkers(MetadataWriter metadata, PoolOptions options, string pool)
    {
        this.metadata = metadata;
        this.options = options;
        writer = new SerialWorker(WriteNext);
    }

    /// <summary>Durable writes so far.</summary>
    public long Syncs => Interlocked.Read(ref syncs);

    /// <summary>Leaves that are marked, and their marked blocks; after a crash, as far as they have been looked at.</summary>
    public (long Leaves, long Blocks) Count()
    {
        lock (gate) return (markedLeaves, markedBlocks);
    }

    /// <summary>Marker of a leaf that was loaded; null when it has none.</summary>
    public LeafMarks? Find(long lineage, long leafIndex)
    {
        lock (gate) return marks.GetValueOrDefault((lineage, leafIndex));
    }

    /// <summary>Takes up a marker that an earlier life of the pool left in the store: all its blocks are suspect.</summary>
    public LeafMarks Adopt(long lineage, long leafIndex, BlockSet blocks)
    {
        lock (gate)
        {
            if (marks.TryGetValue((lineage, leafIndex), out var known)) return known;
            var adopted = new LeafMarks(lineage, leafIndex) { Durable = blocks, Suspect = blocks };
            SetWanted(adopted, blocks);
            marks.Add((lineage, leafIndex), adopted);
            return adopted;
        }
    }

    /// <summary>
    /// Makes sure that blocks are marked on stable storage. Call under the leaf's write lock, before overwriting blocks that its
    /// committed form calls valid. The leaf counts as not committed from now on, so that the marker stays.
    /// </summary>
    /// <exception cref="DeviceFullException">There is no room for the marker: nothing may be overwritten.</exception>
    public virtual ValueTask EnsureAsync(Leaf leaf, BlockSet blocks)
    {
        SharedCompletion write;
        bool isHere;
        lock (gate)
        {
            var leafMarks = CountAsUncommitted(leaf);
            if (leafMarks.Durable.Contains(blocks)) return ValueTask.CompletedTask;
            blocks.Add(leafMarks.Wanted);
            SetWanted(leafMarks, blocks);
            if (!leafMarks.IsPending) pending.Add(leafMarks);
            leafMarks.IsPending = pendingIsUrgent = true;
            write = Enqueue(mayRunHere: lastWriteTook < ShortTime, out isHere);
        }

        if (isHere) writer.RunHere();
        return write.Task;
    }

    /// <summary>
    /// Marks blocks that a commit is about to call valid, while it flushes them: whoever overwrites them afterwards need not wait. They
    /// are sound, for they were just written. Call under the leaf's write lock.
    /// </summary>
    public void MarkAhead(Leaf leaf, BlockSet blocks)
    {
        lock (gate)
        {
            var leafMarks = GetOrAdd(leaf);
            leafMarks.LastUse = options.TimeProvider.GetTimestamp();
            if (leafMarks.Durable.Contains(blocks)) return;
            blocks.Add(leafMarks.Wanted);
            SetWanted(leafMarks, blocks);
            if (!leafMarks.IsPending) pending.Add(leafMarks);
            leafMarks.IsPending = pendingIsUrgent = true;
            Enqueue(mayRunHere: false, out _);
        }
    }

    /// <summary>
    /// The leaf counts as not committed from now on, so that its marker stays until a commit has written it. Call under the leaf's
    /// write lock.
    /// </summary>
    public void Unsettle(Leaf leaf)
    {
        lock (gate) CountAsUncommitted(leaf);
    }

    /// <summary>The checksums of a leaf that was overwritten are durable.</summary>
    public void Committed(LeafMarks leafMarks)
    {
        lock (gate)
        {
            leafMarks.Uncommitted--;
            Invariant.Require(leafMarks.Uncommitted >= 0);
        }
    }

    /// <summary>
    /// Clears the markers of leaves that have been quiet and whose checksums are durable; beyond a number of them the longest quiet
    /// ones go before their time, so that what an unclean stop leaves to be checked is bounded however busy the volumes are. Not
    /// urgent: a marker that a crash brings back costs a check.
    /// </summary>
    public virtual void Clear(TimeSpan quietTime)
    {
        LeafMarks[] all;
        lock (gate) all = [.. marks.Values];
        Clear(all, each => IsQuiet(each, quietTime));
        lock (gate)
        {
            if (!AreTooMany) return;
        }

        Array.Sort([.. all.Select(each => each.LastUse)], all);
        Clear(all, _ => AreTooMany);
    }

    /// <summary>Clears all markers that vouch for nothing any more, and waits until that is written.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ClearAllAsync()
    {
        Clear(TimeSpan.Zero);
        while (true)
        {
            SharedCompletion? next;
            lock (gate) next = nextWrite;
            if (next is null) return;
            await next.Task;
        }
    }

    /// <summary>Forgets the markers of a volume that is gone; its entries are deleted with its record.</summary>
    public void Drop(long lineage)
    {
        lock (gate)
        {
            foreach (var each in marks.Values.Where(each => each.Lineage == lineage).ToArray()) Remove(each);
            pending.RemoveAll(each => each.IsDropped);
        }
    }

    public void Dispose() => writer.Dispose();

    /// <summary>Whether a marker may be cleared: it vouches for nothing any more.</summary>
    protected virtual bool IsSettled(LeafMarks leafMarks) => leafMarks.Uncommitted == 0 && leafMarks.Suspect.IsEmpty;

    bool IsQuiet(LeafMarks leafMarks, TimeSpan quietTime) =>
        quietTime <= TimeSpan.Zero || options.TimeProvider.GetElapsedTime(leafMarks.LastUse) >= quietTime;

    LeafMarks CountAsUncommitted(Leaf leaf)
    {
        var leafMarks = GetOrAdd(leaf);
        if (!leaf.IsOverwritten)
        {
            leaf.IsOverwritten = true;
            leafMarks.Uncommitted++;
        }

        leafMarks.LastUse = options.TimeProvider.GetTimestamp();
        return leafMarks;
    }

    LeafMarks GetOrAdd(Leaf leaf)
    {
        if (leaf.Marks is { IsDropped: false } known) return known;
        var key = (leaf.Volume.Lineage, leaf.Index);
        if (!marks.TryGetValue(key, out var found)) marks.Add(key, found = new LeafMarks(key.Lineage, key.Index));
        return leaf.Marks = found;
    }

    void Remove(LeafMarks leafMarks)
    {
        leafMarks.IsDropped = true;
        SetWanted(leafMarks, default);
        marks.Remove((leafMarks.Lineage, leafMarks.LeafIndex));
    }

    bool AreTooMany => markedLeaves > options.MaxMarkedLeaves || markedBlocks > options.MaxMarkedBlocks;

    // The memory changes before the store: an overwrite from here on marks again, and its write comes with or after this one. The gate
    // is given back now and then: every overwrite needs it.
    void Clear(LeafMarks[] candidates, Predicate<LeafMarks> isWanted)
    {
        for (var from = 0; from < candidates.Length; from += MaxClearedAtOnce)
        {
            lock (gate)
            {
                foreach (var each in candidates.AsSpan(from, Math.Min(MaxClearedAtOnce, candidates.Length - from)))
                {
                    if (each.IsDropped || each.Wanted.IsEmpty || !IsSettled(each) || !isWanted(each)) continue;
                    SetWanted(each, default);
                    each.Durable = default;
                    if (!each.IsClearing) clearing.Enqueue(each);
                    each.IsClearing = true;
                    Enqueue(mayRunHere: false, out _);
                }
            }
        }
    }

    void SetWanted(LeafMarks leafMarks, BlockSet blocks)
    {
        markedBlocks += blocks.Count - leafMarks.Wanted.Count;
        markedLeaves += (blocks.IsEmpty ? 0 : 1) - (leafMarks.Wanted.IsEmpty ? 0 : 1);
        leafMarks.Wanted = blocks;
        Invariant.Require(markedLeaves >= 0 && markedBlocks >= markedLeaves);
    }

    SharedCompletion Enqueue(bool mayRunHere, out bool isHere)
    {
        isHere = false;
        if (nextWrite is not null) return nextWrite;

        // First: if it cannot, nobody must wait for it. It gets the gate after us.
        if (mayRunHere) isHere = writer.WakeOrEnter();
        else writer.Wake();
        return nextWrite = new SharedCompletion();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever it was, it is what the waiters are told.")]
    SerialWorker.Outcome WriteNext()
    {
        SharedCompletion? waiters = null;
        try
        {
            (waiters, var durability) = TakePending();
            var began = Stopwatch.GetTimestamp();
            metadata.WriteOrUseReserve(batch, durability);
            if (durability == Durability.Sync) Interlocked.Increment(ref syncs);
            lock (gate)
            {
                lastWriteTook = Stopwatch.GetElapsedTime(began);
                foreach (var (leafMarks, blocks) in written)
                {
                    var stillWanted = blocks;
                    stillWanted.IntersectWith(leafMarks.Wanted);
                    // Only clearings are relaxed.
                    Invariant.Require(durability == Durability.Sync || leafMarks.Durable.Contains(stillWanted));
                    leafMarks.Durable.Add(stillWanted);
                    if (leafMarks is { IsPending: false, IsClearing: false, IsDropped: false, Uncommitted: 0, Wanted.IsEmpty: true })
                        Remove(leafMarks);
                }

                if (clearing.Count > 0) Enqueue(mayRunHere: false, out _);
            }

            return new(waiters);
        }
        catch (Exception cause)
        {
            lock (gate) TakeBack();
            return new(waiters, cause);
        }
    }

    // What was not written goes along with the next batch, which therefore must be durable.
    void TakeBack()
    {
        pendingIsUrgent = true;
        foreach (var (leafMarks, _) in written)
        {
            if (leafMarks.IsPending) continue;
            leafMarks.IsPending = true;
            pending.Add(leafMarks);
        }
    }

    (SharedCompletion? Waiters, Durability Durability) TakePending()
    {
        lock (gate)
        {
            var waiters = nextWrite;
            var durability = pendingIsUrgent ? Durability.Sync : Durability.Relaxed;
            nextWrite = null;
            pendingIsUrgent = false;
            batch.Clear();
            written.Clear();
            foreach (var leafMarks in pending)
            {
                leafMarks.IsPending = false;
                written.Add((leafMarks, leafMarks.Wanted));
                Encode(leafMarks);
            }

            pending.Clear();

            // Not all at once: whoever waits for a mark waits for what is written with it.
            for (var i = 0; i < MaxClearedAtOnce && clearing.TryDequeue(out var cleared); i++)
            {
                cleared.IsClearing = false;
                if (cleared.IsDropped || !cleared.Wanted.IsEmpty) continue; // Gone, or marked anew, which is pending or written.
                written.Add((cleared, default));
                Encode(cleared);
            }

            return (waiters, durability);
        }
    }

    void Encode(LeafMarks leafMarks)
    {
        var key = MapKeys.Marker(leafMarks.Lineage, leafMarks.LeafIndex);
        if (leafMarks.Wanted.IsEmpty)
        {
            batch.Delete(key);
            return;
        }

        Span<byte> value = stackalloc byte[MarkerFormat.MaxBytes];
        batch.Put(key, value[..MarkerFormat.Write(value, leafMarks.Wanted)]);
    }
}
