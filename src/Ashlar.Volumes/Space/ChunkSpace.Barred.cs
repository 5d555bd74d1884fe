using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Parts of the device of which nothing is given out. What is idle there is in none of the other counts.
sealed partial class ChunkSpace
{
    BarredChunks[] barred = [];

    /// <summary>Ranges of which nothing is given out.</summary>
    public IReadOnlyList<BarredChunks> Barred => Volatile.Read(ref barred);

    /// <summary>Whether a chunk may not be given out.</summary>
    public bool IsBarred(long chunk) => FindBarred(chunk) is not null;

    /// <summary>Gives nothing of a range out any more. What is taken of it stays so until it is let go of.</summary>
    /// <param name="first">Its first chunk.</param>
    /// <param name="end">The first one behind it.</param>
    /// <param name="instead">The range that it takes the place of, and is part of; or null.</param>
    /// <param name="missing">How many chunks the others lack to take in what is taken of it.</param>
    /// <returns>The range; null, with nothing changed, when the others have not room enough.</returns>
    public BarredChunks? TryBar(long first, long end, BarredChunks? instead, out long missing)
    {
        Invariant.Require(first >= MapLayout.ReservedChunks && first < end);
        lock (gate)
        {
            if (instead is not null) UnbarLocked(instead);
            Invariant.Require(!Array.Exists(barred, range => first < range.End && range.First < end));
            var range = FindIdle(first, end);
            missing = range.TakenCount - (freeChunks - range.IdleCount - reservedChunks);
            if (missing > 0)
            {
                if (instead is not null) Bar(instead);
                return null;
            }

            missing = 0;
            Bar(range);
            return range;
        }
    }

    /// <summary>The same for what the store says, when nothing has been given out yet.</summary>
    public void BarAtOpening(long first, long end)
    {
        lock (gate)
        {
            var range = FindIdle(first, end);
            Bar(range);
        }
    }

    /// <summary>What is idle of a range may be given out again.</summary>
    public void Unbar(BarredChunks range)
    {
        lock (gate) UnbarLocked(range);
    }

    void UnbarLocked(BarredChunks range)
    {
        Volatile.Write(ref barred, [.. barred.Where(each => each != range)]);
        for (var (word, end) = range.Words; word < end; word++)
            if (range.IdleWord(word) is not 0 and var idle) SetFree(word, tables.Free.Word(word) | idle);
    }

    // The pool has become larger: chunks of a barred range among the new ones are given to nobody.
    void BarNew(long oldChunkCount)
    {
        foreach (var range in barred)
        {
            range.Grow(ChunkCount);
            for (var (word, end) = (Math.Max(range.Words.First, oldChunkCount / 64), range.Words.End); word < end; word++)
            {
                var isNew = word == oldChunkCount / 64 ? ulong.MaxValue << (int)(oldChunkCount % 64) : ulong.MaxValue;
                var free = tables.Free.Word(word) & range.Mask(word) & isNew;
                range.AddWord(word, free);
                SetFree(word, tables.Free.Word(word) & ~free);
            }
        }
    }

    BarredChunks? FindBarred(long chunk)
    {
        foreach (var range in Volatile.Read(ref barred))
            if (chunk >= range.First && chunk < range.End) return range;
        return null;
    }

    BarredChunks FindIdle(long first, long end)
    {
        var range = new BarredChunks(first, end, ChunkCount);
        for (var (word, wordEnd) = range.Words; word < wordEnd; word++) range.AddWord(word, tables.Free.Word(word) & range.Mask(word));
        return range;
    }

    void Bar(BarredChunks range)
    {
        for (var (word, end) = range.Words; word < end; word++)
            if (range.IdleWord(word) is not 0 and var idle) SetFree(word, tables.Free.Word(word) & ~idle);
        Volatile.Write(ref barred, [.. barred, range]);
    }

    // Of a device that is barred or is not any more: by words, for all others wait.
    void SetFree(long word, ulong free)
    {
        var before = tables.Free.Word(word);
        if (free == before) return;
        tables.Free.SetWord(word, free);
        freeChunks += BitOperations.PopCount(free) - BitOperations.PopCount(before);
        const int windows = 64 / MapLayout.ChunksPerLeaf;
        for (var window = 0; window < windows; window++)
        {
            if (ChunkTables.IsWindow(free, window) == ChunkTables.IsWindow(before, window)) continue;
            if (ChunkTables.IsWindow(free, window)) tables.FreeWindows.Add((word * windows) + window);
            else tables.FreeWindows.Remove((word * windows) + window);
        }

        if (unpunched is null || word >= unpunched.Length) return;
        var taken = unpunched[word] & before & ~free; // Nothing below is wanted for them.
        unpunched[word] &= ~taken;
        unpunchedChunks -= BitOperations.PopCount(taken);
    }
}
