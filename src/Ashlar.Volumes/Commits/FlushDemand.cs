using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>
/// Tells the device how far apart flushes come: the longest of the last few times between two. Those of a guest that commits its journal
/// every few seconds would wait for a stream as well, if it were not written early; a stream that nobody flushes beside is faster without.
/// </summary>
sealed class FlushDemand
{
    const int Several = 4; // So that a few at once, as when a client leaves, are not taken for many.

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

    /// <summary>Tells of the time in which nobody asked as well. Call now and then.</summary>
    public void Tell()
    {
        if (cache is null) return;
        var longest = TimeSpan.Zero;
        var oldest = next;
        for (var i = 0; i < Several; i++)
        {
            var begin = Volatile.Read(ref askedAt[(oldest + i) % Several]);
            var end = i == Several - 1 ? clock.GetTimestamp() : Volatile.Read(ref askedAt[(oldest + i + 1) % Several]);
            var gap = clock.GetElapsedTime(begin, end);
            if (gap > longest) longest = gap;
        }

        cache.FlushInterval = longest;
    }
}
