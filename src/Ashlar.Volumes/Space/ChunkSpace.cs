using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// The chunks of a pool's device. Two sets are kept. <i>Taken</i> is what must not be given out: places that a leaf in memory
/// owns, and removed ones in quarantine. <i>Committed</i> is what the leaves in the store own; it changes only when a leaf is
/// captured for a commit, by the difference to that leaf's last capture, and is written in the same batch as the leaf. So
/// map and free space agree after any crash and nothing has to be scanned.
/// </summary>
/// <remarks>
/// Taking a chunk costs a bounded number of steps under the lock, whatever the size of the pool and however scattered its free
/// space: two searches, each of which may begin anew at the front, of two words per level (64 TiB: 5 levels).
/// </remarks>
sealed partial class ChunkSpace
{
    readonly Lock gate = new();
    ChunkTables tables;
    readonly SortedSet<int> changedGroups = [];
    ulong[]? unpunched; // As long as it was needed.
    long freeChunks;
    long reservedChunks; // Of the free ones.
    long quarantinedChunks;
    long unpunchedChunks;
    long wordsReadBefore; // Of tables that were smaller.

    public ChunkSpace(long chunkCount)
        : this(new ChunkTables(chunkCount))
    {
    }

    /// <summary>Takes over new tables.</summary>
    public ChunkSpace(ChunkTables tables)
    {
        this.tables = tables;
        FindFree();
    }

    /// <summary>Chunks on the device, the reserved ones at its front included: the first number beyond them.</summary>
    public long ChunkCount => Tables.ChunkCount;

    /// <summary>Chunks that volumes have or can get: not those that are barred and that nobody has any more.</summary>
    public long UsableChunks => ChunkCount - MapLayout.ReservedChunks - Volatile.Read(ref barred).Sum(static range => range.IdleCount);

    public int GroupCount => Tables.GroupCount;

    /// <summary>Chunks that leaves own.</summary>
    public long AllocatedChunks
    {
        get
        {
            lock (gate) return UsableChunks - freeChunks - quarantinedChunks;
        }
    }

    /// <summary>Chunks that no leaf owns, but that cannot be given out before a commit.</summary>
    public long QuarantinedChunks => Interlocked.Read(ref quarantinedChunks);

    /// <summary>Chunks that anybody may take.</summary>
    public long FreeChunks
    {
        get
        {
            lock (gate) return freeChunks - reservedChunks;
        }
    }

    /// <summary>Free chunks that are promised.</summary>
    public long ReservedChunks
    {
        get
        {
            lock (gate) return reservedChunks;
        }
    }

    /// <summary>Chunks that were let go of and that the space below holds all the same, as far as that is known.</summary>
    public long UnpunchedChunks => Interlocked.Read(ref unpunchedChunks);

    /// <summary>Words that searches for free chunks have read.</summary>
    public long WordsRead => wordsReadBefore + tables.Free.WordsRead + tables.FreeWindows.WordsRead;

    ChunkTables Tables => Volatile.Read(ref tables);

    /// <summary>Words of the committed set, for loading and for the commit.</summary>
    public Span<ulong> CommittedWords(int group) => tables.Committed.AsSpan(group * GroupBitmap.Words, GroupBitmap.Words);

    /// <summary>Takes over the committed set after it was loaded.</summary>
    public void Loaded(string where)
    {
        for (var i = 0; i < tables.Committed.Length; i++)
        {
            if ((tables.Committed[i] & ~tables.Usable(i)) != 0)
                throw new CorruptDataException(where, i, "bitmap: chunks in use beyond the pool's end or in its superblock");
        }

        FindFree();
    }

    /// <summary>Looks up what <see cref="Grow"/> need not look up under the lock: which chunks of new groups are free.</summary>
    /// <param name="larger">New tables.</param>
    /// <returns>How many.</returns>
    public long Prepare(ChunkTables larger)
    {
        long count = 0;
        Span<ulong> words = stackalloc ulong[GroupBitmap.Words];
        for (var group = GroupCount; group < larger.GroupCount; group++)
        {
            for (var i = 0; i < words.Length; i++) words[i] = larger.Usable(((long)group * words.Length) + i);
            count += larger.SetFree(group, words);
        }

        return count;
    }

    /// <summary>
    /// Adds free chunks at the end. Only while no commit runs: it writes the bitmaps. What is taken, reserved or in quarantine stays so.
    /// Allocates nothing: it cannot fail.
    /// </summary>
    /// <param name="larger">Tables that were prepared.</param>
    /// <param name="newFreeChunks">What <see cref="Prepare"/> found.</param>
    public void Grow(ChunkTables larger, long newFreeChunks)
    {
        Span<ulong> words = stackalloc ulong[GroupBitmap.Words];
        lock (gate)
        {
            Invariant.Require(larger.ChunkCount >= tables.ChunkCount);
            tables.Committed.CopyTo(larger.Committed, 0);
            for (var group = 0; group < tables.GroupCount; group++)
            {
                for (var i = 0; i < words.Length; i++)
                {
                    var word = ((long)group * words.Length) + i;
                    words[i] = larger.Usable(word) & ~(tables.Usable(word) & ~tables.Free.Word(word));
                }

                newFreeChunks += larger.SetFree(group, words);
            }

            wordsReadBefore += tables.Free.WordsRead + tables.FreeWindows.WordsRead;
            freeChunks = newFreeChunks;
            var before = ChunkCount;
            Volatile.Write(ref tables, larger);
            BarNew(before);
        }
    }

    /// <summary>Chunks that nobody owns any more could not be given back to the space below. They are not free yet.</summary>
    public void NoteUnpunched(long first, long count)
    {
        lock (gate)
        {
            try
            {
                if (unpunched is null || unpunched.Length < tables.Committed.Length) Array.Resize(ref unpunched, tables.Committed.Length);
            }
            catch (OutOfMemoryException)
            {
                return; // A hint is lost.
            }

            for (var chunk = first; chunk < first + count; chunk++)
            {
                if (IsSet(unpunched, chunk)) continue;
                Set(unpunched, chunk);
                unpunchedChunks++;
            }
        }
    }

    /// <summary>Takes the chunks of a window of 1 MiB that is all free, the one asked for if it is; its first chunk, or -1.</summary>
    public long TakeWindow(long preferred, ref long cursor)
    {
        lock (gate)
        {
            if (freeChunks - reservedChunks < MapLayout.ChunksPerLeaf) return -1;
            var window = preferred > 0 && preferred < ChunkCount && tables.FreeWindows.Contains(preferred / MapLayout.ChunksPerLeaf)
                ? preferred / MapLayout.ChunksPerLeaf
                : tables.FreeWindows.FindNext(cursor / MapLayout.ChunksPerLeaf);
            if (window < 0) window = tables.FreeWindows.FindNext(0);
            if (window < 0) return -1;
            cursor = window * MapLayout.ChunksPerLeaf;
            for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++) Mark(cursor + slot);
            return cursor;
        }
    }

    /// <summary>Promises free chunks to one request; null when there are not that many.</summary>
    public SpaceReservation? TryReserve(long count)
    {
        lock (gate)
        {
            if (freeChunks - reservedChunks < count) return null;
            reservedChunks += count;
            return new SpaceReservation(this, count);
        }
    }

    public void EndReservation(SpaceReservation reservation)
    {
        lock (gate)
        {
            reservedChunks -= reservation.Remaining;
            reservation.Remaining = 0;
            Invariant.Require(reservedChunks >= 0);
        }
    }

    /// <summary>
    /// Takes a chunk: the one asked for if it is free, else the matching one of a window of 1 MiB that is all free, so
    /// that the leaf can grow into one run, else any. Searches begin at the cursor, and come round.
    /// </summary>
    /// <returns>The chunk, or 0 when none is free, other than those that are reserved for others.</returns>
    public long Take(long preferred, int slot, ref long cursor, SpaceReservation? reservation = null)
    {
        lock (gate)
        {
            if (reservation is { Remaining: > 0 })
            {
                reservation.Remaining--;
                reservedChunks--;
            }
            else if (freeChunks <= reservedChunks)
            {
                return 0;
            }

            if (preferred > 0 && preferred < ChunkCount && tables.Free.Contains(preferred)) return Mark(preferred);
            if (Next(tables.FreeWindows, cursor / MapLayout.ChunksPerLeaf) is >= 0 and var window)
            {
                cursor = window * MapLayout.ChunksPerLeaf;
                return Mark(cursor + slot);
            }

            var chunk = Next(tables.Free, cursor);
            Invariant.Require(chunk >= 0); // Counted as free, so there is one.
            return Mark(cursor = chunk);
        }

        static long Next(BitTree tree, long from) => tree.FindNext(from) is >= 0 and var next ? next : tree.FindNext(0);
    }

    /// <summary>Takes a certain chunk, if it is free.</summary>
    public bool TryHold(long chunk)
    {
        lock (gate)
        {
            if (chunk < MapLayout.ReservedChunks || chunk >= ChunkCount || !tables.Free.Contains(chunk)) return false;
            Mark(chunk);
            return true;
        }
    }

    /// <summary>
    /// Whether any of so many chunks must be kept: a leaf owns it, or somebody is about to write it, or it is not free for good yet. Chunks
    /// that the pool does not have are not kept.
    /// </summary>
    public bool IsAnyTaken(long first, long count)
    {
        lock (gate)
        {
            for (var chunk = first; chunk < Math.Min(first + count, ChunkCount); chunk++)
                if (!tables.Free.Contains(chunk)) return true;
            return false;
        }
    }

    /// <summary>The first run of free chunks at or after a chunk; its length is 0 when there is none.</summary>
    public (long First, long Count) FindFreeRun(long from, long maxCount = long.MaxValue)
    {
        lock (gate)
        {
            var first = tables.Free.FindNext(from);
            if (first < 0) return default;
            var end = first;
            while (end < ChunkCount && end - first < maxCount && tables.Free.Contains(end))
                end += tables.Free.Word(end / 64) == ulong.MaxValue ? 64 - (end % 64) : 1;
            return (first, Math.Min(Math.Min(end, ChunkCount) - first, maxCount));
        }
    }

    /// <summary>
    /// Puts the first run of free chunks at or after a chunk into quarantine, but none that are reserved; its length is 0 when there is
    /// none.
    /// </summary>
    public (long First, long Count) QuarantineFreeRun(long from, long maxCount)
    {
        lock (gate)
        {
            var run = FindFreeRun(from, Math.Min(maxCount, freeChunks - reservedChunks));
            var count = Math.Max(run.Count, 0);
            for (var chunk = run.First; chunk < run.First + count; chunk++) Mark(chunk);
            quarantinedChunks += count;
            return (run.First, count);
        }
    }

    /// <summary>Gives back chunks that no persisted leaf and no leaf in memory owns.</summary>
    public void Release(ReadOnlySpan<long> chunks)
    {
        lock (gate)
        {
            foreach (var chunk in chunks)
            {
                Invariant.Require(chunk >= MapLayout.ReservedChunks && chunk < ChunkCount && !tables.Free.Contains(chunk));
                if (FindBarred(chunk) is { } range) range.Add(chunk);
                else AddFree(chunk);
            }
        }
    }

    /// <summary>A leaf let go of chunks; they stay taken until <see cref="ReleaseQuarantined"/>.</summary>
    public void Quarantine(int count)
    {
        lock (gate) quarantinedChunks += count;
    }

    /// <summary>The leaves without these chunks are durable.</summary>
    public void ReleaseQuarantined(ReadOnlySpan<long> chunks)
    {
        lock (gate)
        {
            foreach (var chunk in chunks) Invariant.Require(!IsSet(tables.Committed, chunk)); // No captured leaf owns it.
            quarantinedChunks -= chunks.Length;
            Invariant.Require(quarantinedChunks >= 0);
            Release(chunks);
        }
    }

    /// <summary>A captured leaf owns another place than at its last capture; 0 is none. Only the commit calls this.</summary>
    public void Capture(long before, long after)
    {
        if (before != 0)
        {
            Invariant.Require(IsSet(tables.Committed, before));
            tables.Committed[before / 64] &= ~(1UL << (int)(before % 64));
            changedGroups.Add((int)(before / MapLayout.ChunksPerGroup));
        }

        if (after != 0)
        {
            Invariant.Require(!IsSet(tables.Committed, after));
            Set(tables.Committed, after);
            changedGroups.Add((int)(after / MapLayout.ChunksPerGroup));
        }
    }

    /// <summary>The groups whose committed set changed since the last call.</summary>
    public int[] TakeChangedGroups()
    {
        int[] groups = [.. changedGroups];
        changedGroups.Clear();
        return groups;
    }

    static bool IsSet(ulong[] bits, long chunk) => (bits[chunk / 64] >> (int)(chunk % 64) & 1) != 0;

    static void Set(ulong[] bits, long chunk) => bits[chunk / 64] |= 1UL << (int)(chunk % 64);

    void FindFree()
    {
        freeChunks = 0;
        Span<ulong> words = stackalloc ulong[GroupBitmap.Words];
        for (var group = 0; group < tables.GroupCount; group++)
        {
            var committed = CommittedWords(group);
            for (var i = 0; i < words.Length; i++) words[i] = tables.Usable(((long)group * words.Length) + i) & ~committed[i];
            freeChunks += tables.SetFree(group, words);
        }
    }

    long Mark(long chunk)
    {
        Invariant.Require(tables.Free.Contains(chunk));
        tables.Free.Remove(chunk);
        tables.FreeWindows.Remove(chunk / MapLayout.ChunksPerLeaf);
        freeChunks--;
        if (unpunched is not null && chunk / 64 < unpunched.Length && IsSet(unpunched, chunk))
        {
            unpunched[chunk / 64] &= ~(1UL << (int)(chunk % 64)); // Its new owner needs nothing below for it.
            unpunchedChunks--;
        }

        return chunk;
    }

    void AddFree(long chunk)
    {
        tables.Free.Add(chunk);
        if (ChunkTables.IsWindow(tables.Free.Word(chunk / 64), (int)(chunk % 64) / MapLayout.ChunksPerLeaf))
            tables.FreeWindows.Add(chunk / MapLayout.ChunksPerLeaf);
        freeChunks++;
    }
}
