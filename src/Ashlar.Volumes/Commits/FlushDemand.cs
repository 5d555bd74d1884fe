using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>
/// Has the device begin early with what is streamed to it for as long as somebody flushes again and again, as a guest does that commits
/// its journal every few seconds: its flushes would wait for the stream as well. A stream that nobody flushes beside is faster without.
/// </summary>
sealed class FlushDemand
{
    const int Several = 4;
    static readonly TimeSpan Lately = TimeSpan.FromSeconds(30);

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

    bool IsThere => clock.GetElapsedTime(Volatile.Read(ref askedAt[next])) <= Lately;

    /// <summary>Somebody waits for a flush.</summary>
    public void Asked()
    {
        if (cache is null) return;
        Volatile.Write(ref askedAt[next], clock.GetTimestamp());
        next = (next + 1) % Several;
        if (!cache.WritesBackEarly && IsThere) cache.WritesBackEarly = true;
    }

    /// <summary>Call now and then.</summary>
    public void Forget()
    {
        if (cache is { WritesBackEarly: true } && !IsThere) cache.WritesBackEarly = false;
    }
}
