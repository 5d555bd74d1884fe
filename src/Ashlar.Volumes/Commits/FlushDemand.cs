using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>
/// Tells the device how far apart flushes come, in the mean of the last few. Those of a guest that commits its journal every few seconds
/// would wait for a stream as well, if it were not written early; a stream that nobody flushes beside is faster without.
/// </summary>
sealed class FlushDemand
{
    const int Several = 4;
    readonly ICachingDevice? cache;
    readonly TimeProvider clock;
    readonly long[] askedAt = new long[Several]; // A ring. Threads that meet in it cost an early or a late beginning.
    int next;

    public FlushDemand(IBlockDevice device, TimeProvider clock)
    {
        cache = device as ICachingDevice;
        this.clock = clock;
        Array.Fill(askedAt, clock.GetTimestamp()); // Until we know better.
    }

    /// <summary>Somebody waits for a flush.</summary>
    public void Asked()
    {
        if (cache is null) return;
        Volatile.Write(ref askedAt[next], clock.GetTimestamp());
        next = (next + 1) % Several;
        Tell();
    }

    /// <summary>Tells how long nobody asked. Call now and then.</summary>
    public void Tell()
    {
        if (cache is not null) cache.FlushInterval = clock.GetElapsedTime(Volatile.Read(ref askedAt[next])) / Several;
    }
}
