using System.Numerics;
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
sealed class ChunkSpace
{
    readonly Lock gate = new();
    BitTree free; // What is not taken.
    BitTree freeWindows; // Of 1 MiB: all 16 chunks are free.
    ulong[] committed;
    readonly SortedSet<int> changedGroups = [];
    long chunkCount;
    long freeChunks;
    long reservedChunks; // Of the free ones.
    long quarantinedChunks;

    public ChunkSpace(long chunkCount)
    {
        this.chunkCount = chunkCount;
        committed = new ulong[GroupCount * GroupBitmap.Words];
        (free, freeWindows) = CreateTrees();
        FindFree(committed);
    }

    /// <summary>Chunks on the device, the reserved ones at its front included: the first number beyond them.</summary>
    public long ChunkCount => Interlocked.Read(ref chunkCount);

    /// <summary>Chunks that volumes can use.</summary>
    public long UsableChunks => ChunkCount - MapLayout.ReservedChunks;

    public int GroupCount => checked((int)((ChunkCount + MapLayout.ChunksPerGroup - 1) / MapLayout.ChunksPerGroup));

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

    /// <summary>Words that searches for free chunks have read.</summary>
    public long WordsRead => free.WordsRead + freeWindows.WordsRead;

    /// <summary>Words of the committed set, for loading and for the commit.</summary>
    public Span<ulong> CommittedWords(int group) => committed.AsSpan(group * GroupBitmap.Words, GroupBitmap.Words);

    /// <summary>Takes over the committed set after it was loaded.</summary>
    public void Loaded(string where)
    {
        for (var i = 0; i < committed.Length; i++)
        {
            if ((committed[i] & ~Usable(i)) != 0)
                throw new CorruptDataException(where, i, "bitmap: chunks in use beyond the pool's end or in its superblock");
        }

        FindFree(committed);
    }

    /// <summary>
    /// Adds free chunks at the end. Only while no commit runs: it writes the bitmaps. What is taken, reserved or in quarantine stays so.
    /// </summary>
    public void Grow(long newChunkCount)
    {
        lock (gate)
        {
            Invariant.Require(newChunkCount >= chunkCount);
            var taken = new ulong[committed.Length];
            for (var i = 0; i < taken.Length; i++) taken[i] = Usable(i) & ~free.Word(i);
            Interlocked.Exchange(ref chunkCount, newChunkCount);
            Array.Resize(ref committed, GroupCount * GroupBitmap.Words);
            Array.Resize(ref taken, committed.Length);
            (free, freeWindows) = CreateTrees();
            FindFree(taken);
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

            if (preferred > 0 && preferred < ChunkCount && free.Contains(preferred)) return Mark(preferred);
            if (Next(freeWindows, cursor / MapLayout.ChunksPerLeaf) is >= 0 and var window)
            {
                cursor = window * MapLayout.ChunksPerLeaf;
                return Mark(cursor + slot);
            }

            var chunk = Next(free, cursor);
            Invariant.Require(chunk >= 0); // Counted as free, so there is one.
            return Mark(cursor = chunk);
        }

        static long Next(BitTree tree, long from) => tree.FindNext(from) is >= 0 and var next ? next : tree.FindNext(0);
    }

    /// <summary>The first run of free chunks at or after a chunk; its length is 0 when there is none.</summary>
    public (long First, long Count) FindFreeRun(long from, long maxCount = long.MaxValue)
    {
        lock (gate)
        {
            var first = free.FindNext(from);
            if (first < 0) return default;
            var end = first;
            while (end < ChunkCount && end - first < maxCount && free.Contains(end))
                end += free.Word(end / 64) == ulong.MaxValue ? 64 - (end % 64) : 1;
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
                Invariant.Require(chunk >= MapLayout.ReservedChunks && chunk < ChunkCount && !free.Contains(chunk));
                AddFree(chunk);
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
            foreach (var chunk in chunks) Invariant.Require(!IsSet(committed, chunk)); // No captured leaf owns it.
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
            Invariant.Require(IsSet(committed, before));
            committed[before / 64] &= ~(1UL << (int)(before % 64));
            changedGroups.Add((int)(before / MapLayout.ChunksPerGroup));
        }

        if (after != 0)
        {
            Invariant.Require(!IsSet(committed, after));
            Set(committed, after);
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

    // The chunks of a word that exist and are not reserved.
    ulong Usable(long word)
    {
        var beyond = Math.Clamp(((word + 1) * 64) - ChunkCount, 0, 64);
        var existing = beyond == 64 ? 0 : ulong.MaxValue >> (int)beyond;
        return word == 0 ? existing & (ulong.MaxValue << MapLayout.ReservedChunks) : existing;
    }

    (BitTree Free, BitTree FreeWindows) CreateTrees()
    {
        var chunks = (long)GroupCount * MapLayout.ChunksPerGroup;
        return (new BitTree(chunks), new BitTree(chunks / MapLayout.ChunksPerLeaf));
    }

    void FindFree(ulong[] taken)
    {
        const int windowsPerWord = 64 / MapLayout.ChunksPerLeaf;
        freeChunks = 0;
        ulong windows = 0;
        for (var i = 0; i < taken.Length; i++)
        {
            var word = Usable(i) & ~taken[i];
            free.SetWord(i, word);
            freeChunks += BitOperations.PopCount(word);
            for (var window = 0; window < windowsPerWord; window++)
                if (IsWindow(word, window)) windows |= 1UL << ((i * windowsPerWord) + window);
            if (i * windowsPerWord % 64 != 64 - windowsPerWord) continue;
            freeWindows.SetWord(i * windowsPerWord / 64, windows);
            windows = 0;
        }
    }

    static bool IsWindow(ulong word, int window) => (ushort)(word >> (window * MapLayout.ChunksPerLeaf)) == ushort.MaxValue;

    long Mark(long chunk)
    {
        Invariant.Require(free.Contains(chunk));
        free.Remove(chunk);
        freeWindows.Remove(chunk / MapLayout.ChunksPerLeaf);
        freeChunks--;
        return chunk;
    }

    void AddFree(long chunk)
    {
        free.Add(chunk);
        if (IsWindow(free.Word(chunk / 64), (int)(chunk % 64) / MapLayout.ChunksPerLeaf)) freeWindows.Add(chunk / MapLayout.ChunksPerLeaf);
        freeChunks++;
    }
}
