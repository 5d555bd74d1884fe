using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Versions;

/// <summary>
/// What readers see: the current version, the visible sequence, and the snapshots that hold old entries in place.
/// </summary>
sealed class StoreState(
    StoreVersion first, ulong sequence, TimeProvider clock, ValueSegments values, ReadEpoch epoch) : IDisposable
{
    readonly Lock gate = new();
    readonly SortedDictionary<ulong, int> snapshots = [];
    StoreVersion current = first;
    ulong visibleSequence = sequence;
    ulong flushedThrough;
    ulong releasedThrough; // The oldest readable sequence when a snapshot last let go of something.
    int cursors;
    bool hasKeyspaces;
    bool isDisposed;

    /// <summary>Entries up to here are published. SYNC entries are published only once they are durable.</summary>
    public ulong VisibleSequence => Volatile.Read(ref visibleSequence);

    /// <summary>
    /// Every entry that was written since the store was opened, and has a larger sequence, is in a memtable of the version that was current
    /// before this was read.
    /// </summary>
    public ulong FlushedThrough => Volatile.Read(ref flushedThrough);

    /// <summary>Tells what has expired.</summary>
    public TimeProvider Clock { get; } = clock;

    /// <summary>Where values lie that are not in memtables and tables themselves.</summary>
    public ValueSegments Values { get; } = values;

    /// <summary>Where scans need not look; writers keep it true.</summary>
    public DeletedRanges DeletedRanges { get; } = new();

    /// <summary>Whether keys that begin with FF FF FF FF are those of keyspaces. Once it is so, it stays.</summary>
    public bool HasKeyspaces
    {
        get => Volatile.Read(ref hasKeyspaces);
        set => Volatile.Write(ref hasKeyspaces, value);
    }

    public bool IsDisposed => Volatile.Read(ref isDisposed);

    /// <summary>Shows everything up to a sequence; what was shown stays so.</summary>
    public void Publish(ulong sequence)
    {
        Invariant.Require(sequence >= visibleSequence);
        Volatile.Write(ref visibleSequence, sequence);
    }

    /// <summary>
    /// Begins a short read of the current version. Readers that want the newest state take the version first and read
    /// <see cref="VisibleSequence"/> after: what a compaction has dropped from the version was shadowed by an entry that was
    /// visible before, so nothing that they may see is missing.
    /// </summary>
    public ReadScope Read()
    {
        var slot = epoch.Enter();
        if (!IsDisposed) return new ReadScope(epoch, slot, Volatile.Read(ref current));
        epoch.Exit(slot);
        throw ClosedStore.ToException();
    }

    /// <summary>The same in three steps, for readers that must not wait: begins one, and gives its place in the epoch.</summary>
    public int Enter()
    {
        var slot = epoch.Enter();
        if (!IsDisposed) return slot;
        epoch.Exit(slot);
        throw ClosedStore.ToException();
    }

    /// <summary>The version that is current now, for a reader within the epoch.</summary>
    public StoreVersion CurrentOf(int slot)
    {
        Invariant.Require(slot > 0);
        return Volatile.Read(ref current);
    }

    /// <summary>Whether what is written now goes to this memtable.</summary>
    public bool IsActive(MemTable table) => Volatile.Read(ref current).Active == table;

    /// <summary>Ends a read. What was waiting for it, files to be deleted among it, is freed elsewhere.</summary>
    public void ExitWithoutWaiting(int slot) => epoch.ExitWithoutWaiting(slot);

    /// <summary>
    /// Takes a reference to the current version, for whoever keeps it longer than one <see cref="Read"/>. The order of version
    /// and sequence is the same.
    /// </summary>
    public StoreVersion Acquire()
    {
        while (true)
        {
            ClosedStore.ThrowIf(IsDisposed);
            var version = Volatile.Read(ref current);
            if (version.TryAcquire()) return version;
        }
    }

    /// <summary>The same with the sequence that is visible, all of which is in that version.</summary>
    public StoreVersion AcquireNewest(out ulong sequence)
    {
        while (true)
        {
            var version = Acquire();
            sequence = VisibleSequence;
            if (IsActive(version.Active)) return version;
            version.Release(); // What was published meanwhile may be in the next memtable.
        }
    }

    /// <summary>Replaces the version under the lock that orders all replacements.</summary>
    public void Replace(Func<StoreVersion, StoreVersion> change)
    {
        StoreVersion old;
        using (gate.Hold())
        {
            old = current;
            var next = change(old);
            // Before the version: who has it without a memtable knows that.
            foreach (var table in old.Immutable)
            {
                if (!next.Immutable.Contains(table)) Volatile.Write(ref flushedThrough, Math.Max(flushedThrough, table.LastSequence));
            }

            Volatile.Write(ref current, next);
        }

        epoch.Retire(old);
    }

    /// <summary>Cursors that are open.</summary>
    public int CursorCount => Volatile.Read(ref cursors);

    public void AddCursor() => Interlocked.Increment(ref cursors);

    public void RemoveCursor() => Interlocked.Decrement(ref cursors);

    public ulong AddSnapshot()
    {
        using (gate.Hold())
        {
            var sequence = VisibleSequence;
            snapshots[sequence] = snapshots.GetValueOrDefault(sequence) + 1;
            return sequence;
        }
    }

    public void RemoveSnapshot(ulong sequence)
    {
        bool isReleased;
        using (gate.Hold())
        {
            var isLast = --snapshots[sequence] == 0;
            if (isLast) snapshots.Remove(sequence);
            var oldest = snapshots.Count > 0 ? snapshots.Keys.First() : VisibleSequence;
            // Else all that it kept is in memtables, or was looked at when another one went.
            isReleased = isLast && oldest > sequence && oldest != releasedThrough
                && !(current.Active.FirstSequence is > 0 and var first && first <= sequence);
            if (isReleased) releasedThrough = oldest;
        }

        if (isReleased) EntriesReleased?.Invoke();
    }

    /// <summary>
    /// Called when the oldest snapshot is gone and memtables have become tables while it was there: merges may drop what it saw.
    /// </summary>
    public Action? EntriesReleased { get; set; }

    public int SnapshotCount
    {
        get
        {
            using (gate.Hold()) return snapshots.Values.Sum();
        }
    }

    /// <summary>
    /// Every reader to come sees this sequence or a later one: entries that a newer one up to here shadows can go. Computed under
    /// the lock that snapshots are taken under, so none can slip below it.
    /// </summary>
    public ulong OldestReadableSequence()
    {
        using (gate.Hold())
        {
            foreach (var sequence in snapshots.Keys) return sequence;
            return VisibleSequence;
        }
    }

    /// <summary>
    /// The sequences that snapshots read at, ascending, and at the end the visible one: whoever comes later reads there or above it.
    /// Computed under the same lock.
    /// </summary>
    public ulong[] ReadableSequences()
    {
        using (gate.Hold())
        {
            var visible = VisibleSequence;
            return snapshots.ContainsKey(visible) ? [.. snapshots.Keys] : [.. snapshots.Keys, visible];
        }
    }

    public void Dispose()
    {
        using (gate.Hold())
        {
            if (isDisposed) return;
            Volatile.Write(ref isDisposed, true);
        }

        epoch.Retire(current);
    }
}
