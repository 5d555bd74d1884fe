using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Chunks of which none is given out: their device is to leave the pool, or has left it.</summary>
/// <param name="first">The first one.</param>
/// <param name="end">The first one behind them.</param>
/// <param name="chunkCount">Chunks of the pool. Those from there on are on the device only, until the pool has grown over them.</param>
sealed class BarredChunks(long first, long end, long chunkCount)
{
    readonly ulong[] idle = new ulong[((end + 63) / 64) - (first / 64)]; // Words as in the pool's tables.
    long poolEnd = Math.Clamp(chunkCount, first, end);
    long idleCount;

    public long First => first;

    public long End => end;

    /// <summary>Words of 64 chunks in which some are: the first one, and the first one behind them.</summary>
    public (long First, long End) Words => (first / 64, (Interlocked.Read(ref poolEnd) + 63) / 64);

    /// <summary>How many nobody has.</summary>
    public long IdleCount => Interlocked.Read(ref idleCount);

    /// <summary>How many leaves own, or are in quarantine.</summary>
    public long TakenCount => Interlocked.Read(ref poolEnd) - first - IdleCount;

    /// <summary>Those of a word that nobody has.</summary>
    public ulong IdleWord(long word) => idle[word - (first / 64)];

    /// <summary>Which bits of a word are its chunks.</summary>
    public ulong Mask(long word)
    {
        var mask = word == first / 64 ? ulong.MaxValue << (int)(first % 64) : ulong.MaxValue;
        return word == end / 64 ? mask & ~(ulong.MaxValue << (int)(end % 64)) : mask;
    }

    /// <summary>The pool has become larger. Of chunks that are new nobody has any; each is added. Under the same lock.</summary>
    public void Grow(long newChunkCount) => Interlocked.Exchange(ref poolEnd, Math.Clamp(newChunkCount, first, end));

    /// <summary>Nobody has a chunk any more. Only <see cref="ChunkSpace"/> calls it, under its lock.</summary>
    public void Add(long chunk) => AddWord(chunk / 64, 1UL << (int)(chunk % 64));

    /// <summary>The same for chunks of a word.</summary>
    public void AddWord(long word, ulong chunks)
    {
        ref var present = ref idle[word - (first / 64)];
        Invariant.Require((present & chunks) == 0 && (chunks & ~Mask(word)) == 0);
        present |= chunks;
        Interlocked.Add(ref idleCount, BitOperations.PopCount(chunks));
    }
}
