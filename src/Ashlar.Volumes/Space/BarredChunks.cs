using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Chunks of which none is given out: their device is to leave the pool, or has left it.</summary>
/// <param name="first">The first one.</param>
/// <param name="end">The first one behind them.</param>
sealed class BarredChunks(long first, long end)
{
    readonly ulong[] idle = new ulong[(end - first + 63) / 64];
    long idleCount;

    public long First => first;

    public long End => end;

    /// <summary>How many nobody has.</summary>
    public long IdleCount => Interlocked.Read(ref idleCount);

    /// <summary>How many leaves own, or are in quarantine.</summary>
    public long TakenCount => end - first - IdleCount;

    /// <summary>Whether nobody has a chunk.</summary>
    public bool IsIdle(long chunk) => (idle[(chunk - first) / 64] >> (int)((chunk - first) % 64) & 1) != 0;

    /// <summary>Nobody has a chunk any more. Only <see cref="ChunkSpace"/> calls it, under its lock.</summary>
    public void Add(long chunk)
    {
        Invariant.Require(!IsIdle(chunk));
        idle[(chunk - first) / 64] |= 1UL << (int)((chunk - first) % 64);
        Interlocked.Increment(ref idleCount);
    }
}
