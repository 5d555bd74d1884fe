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
    /// <param name="missing">How many chunks the others lack to take in what is taken of it.</param>
    /// <returns>The range; null, with nothing changed, when the others have not room enough.</returns>
    public BarredChunks? TryBar(long first, long end, out long missing)
    {
        Invariant.Require(first >= MapLayout.ReservedChunks && first < end && end <= ChunkCount);
        lock (gate)
        {
            Invariant.Require(!Array.Exists(barred, range => first < range.End && range.First < end));
            var range = FindIdle(first, end);
            missing = end - first - range.IdleCount - (freeChunks - range.IdleCount - reservedChunks);
            if (missing > 0) return null;
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
        lock (gate)
        {
            Volatile.Write(ref barred, [.. barred.Where(each => each != range)]);
            for (var chunk = range.First; chunk < range.End; chunk++)
                if (range.IsIdle(chunk)) AddFree(chunk);
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
        var range = new BarredChunks(first, end);
        for (var chunk = tables.Free.FindNext(first); chunk >= 0 && chunk < end; chunk = tables.Free.FindNext(chunk + 1))
            range.Add(chunk);
        return range;
    }

    void Bar(BarredChunks range)
    {
        for (var chunk = range.First; chunk < range.End; chunk++)
            if (range.IsIdle(chunk)) Mark(chunk);
        Volatile.Write(ref barred, [.. barred, range]);
    }
}
