using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// The chunks of a pool's device. Two sets are kept. <i>Taken</i> is what must not be given out: places that a leaf in memory
/// owns, and removed ones in quarantine. <i>Committed</i> is what the leaves in the store own; it changes only when a leaf is
/// captured for a commit, by the difference to that leaf's last capture, and is written in the same batch as the leaf. So
/// map and free space agree after any crash and nothing has to be scanned.
/// </summary>
sealed class ChunkSpace
{
    readonly Lock gate = new();
    readonly ulong[] taken;
    readonly int[] freeInGroup;
    readonly ulong[] committed;
    readonly SortedSet<int> changedGroups = [];
    long freeChunks;
    long quarantinedChunks;

    public ChunkSpace(long chunkCount)
    {
        ChunkCount = chunkCount;
        var groups = checked((int)((chunkCount + MapLayout.ChunksPerGroup - 1) / MapLayout.ChunksPerGroup));
        taken = new ulong[groups * GroupBitmap.Words];
        committed = new ulong[taken.Length];
        freeInGroup = new int[groups];
        for (var chunk = chunkCount; chunk < (long)groups * MapLayout.ChunksPerGroup; chunk++) Set(taken, chunk);
        for (var chunk = 0; chunk < MapLayout.ReservedChunks; chunk++) Set(taken, chunk);
        Recount();
    }

    /// <summary>Chunks on the device, the reserved ones at its front included: the first number beyond them.</summary>
    public long ChunkCount { get; }

    /// <summary>Chunks that volumes can use.</summary>
    public long UsableChunks => ChunkCount - MapLayout.ReservedChunks;

    public int GroupCount => freeInGroup.Length;

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

    public long FreeChunks => Interlocked.Read(ref freeChunks);

    /// <summary>Words of the committed set, for loading and for the commit.</summary>
    public Span<ulong> CommittedWords(int group) => committed.AsSpan(group * GroupBitmap.Words, GroupBitmap.Words);

    /// <summary>Takes over the committed set after it was loaded.</summary>
    public void Loaded(string where)
    {
        for (var i = 0; i < taken.Length; i++)
        {
            if ((taken[i] & committed[i]) != 0)
                throw new CorruptDataException(where, i, "bitmap: chunks in use beyond the pool's end or in its superblock");
            taken[i] |= committed[i];
        }

        Recount();
    }

    /// <summary>
    /// Takes a chunk: the one asked for if it is free, else the matching one of a window of 1 MiB that is all free, so
    /// that the leaf can grow into one run, else the nearest free one.
    /// </summary>
    /// <returns>The chunk, or 0 when none is free.</returns>
    public long Take(long preferred, int slot, ref long cursor)
    {
        lock (gate)
        {
            if (freeChunks == 0) return 0;
            if (preferred > 0 && preferred < ChunkCount && !IsSet(taken, preferred)) return Mark(preferred);
            var group = (int)Math.Min(cursor / MapLayout.ChunksPerGroup, GroupCount - 1);
            for (var i = 0; i < GroupCount; i++)
            {
                if (FindWindow((group + i) % GroupCount, i == 0 ? cursor : 0) is not 0 and var window)
                {
                    cursor = window;
                    return Mark(window + slot);
                }
            }

            for (var i = 0; i < GroupCount; i++)
                if (FindFree((group + i) % GroupCount) is not 0 and var chunk) return Mark(chunk);
            throw new InvariantException("free chunks are counted but none is found");
        }
    }

    /// <summary>The first run of free chunks at or after a chunk; its length is 0 when there is none.</summary>
    public (long First, long Count) FindFreeRun(long from)
    {
        lock (gate)
        {
            var first = from;
            while (first < ChunkCount && IsSet(taken, first)) first += taken[first / 64] == ulong.MaxValue ? 64 - (first % 64) : 1;
            if (first >= ChunkCount) return default;
            var end = first;
            while (end < ChunkCount && !IsSet(taken, end)) end += taken[end / 64] == 0 ? 64 - (end % 64) : 1;
            return (first, Math.Min(end, ChunkCount) - first);
        }
    }

    /// <summary>Gives back chunks that no persisted leaf and no leaf in memory owns.</summary>
    public void Release(ReadOnlySpan<long> chunks)
    {
        lock (gate)
        {
            foreach (var chunk in chunks)
            {
                Invariant.Require(IsSet(taken, chunk) && chunk >= MapLayout.ReservedChunks && chunk < ChunkCount);
                taken[chunk / 64] &= ~(1UL << (int)(chunk % 64));
                freeInGroup[chunk / MapLayout.ChunksPerGroup]++;
            }

            freeChunks += chunks.Length;
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

    long Mark(long chunk)
    {
        Invariant.Require(!IsSet(taken, chunk));
        Set(taken, chunk);
        freeChunks--;
        freeInGroup[chunk / MapLayout.ChunksPerGroup]--;
        return chunk;
    }

    long FindWindow(int group, long from)
    {
        if (freeInGroup[group] < MapLayout.ChunksPerLeaf) return 0;
        var start = (int)(Math.Max(from - ((long)group * MapLayout.ChunksPerGroup), 0) / 64);
        for (var i = 0; i < GroupBitmap.Words; i++)
        {
            var word = (group * GroupBitmap.Words) + ((start + i) % GroupBitmap.Words);
            var bits = taken[word];
            if (bits == ulong.MaxValue) continue;
            for (var window = 0; window < 64; window += MapLayout.ChunksPerLeaf)
                if ((ushort)(bits >> window) == 0) return ((long)word * 64) + window;
        }

        return 0;
    }

    long FindFree(int group)
    {
        if (freeInGroup[group] == 0) return 0;
        for (var word = group * GroupBitmap.Words; word < (group + 1) * GroupBitmap.Words; word++)
            if (taken[word] != ulong.MaxValue) return ((long)word * 64) + BitOperations.TrailingZeroCount(~taken[word]);
        return 0;
    }

    void Recount()
    {
        freeChunks = 0;
        for (var group = 0; group < freeInGroup.Length; group++)
        {
            var used = 0;
            foreach (var word in taken.AsSpan(group * GroupBitmap.Words, GroupBitmap.Words)) used += BitOperations.PopCount(word);
            freeInGroup[group] = MapLayout.ChunksPerGroup - used;
            freeChunks += freeInGroup[group];
        }
    }
}
