using System.Diagnostics;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>
/// Learns whether a client sends its next request only when it has the answer to the last one, as one of depth 1 does. The connection's
/// thread may then wait for the disk in the middle of a request (<see cref="InlineWaits"/>) instead of handing it over: nothing that
/// the client has sent waits meanwhile. The connection's own thread only.
/// </summary>
/// <remarks>
/// A client that is mistaken for such a one has its other requests wait for that one. So each mistake makes the next ones rarer: a guest
/// that reads from the cache, with answers at once, looks as if it were of depth 1 until it flushes.
/// </remarks>
/// <param name="connection">The client's.</param>
/// <param name="hasOthers">Whether requests of the client are under way.</param>
public sealed class LoneRequests(Connection connection, Func<bool> hasOthers)
{
    // Requests alone, one after the other, that tell such a client: at first, and after many mistakes.
    const int Enough = 32, EnoughAtMost = 1 << 20;

    // A request that ends elsewhere is answered just before it counts as ended: one that seems to overlap it now and then proves nothing.
    const int Overlap = 4;

    // What takes longer gains nothing by a hand-over less, and would keep a client waiting that does send the next one.
    static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(2);

    bool isBehindOthers;
    int needed = Enough;
    int missing = Enough;
    int rightSince;
    long waitsBefore;
    long beganAt;

    /// <summary>The thread is about to take the next request, from what has been received or from the wire.</summary>
    public void TakeNext() => isBehindOthers = connection.BufferedBytes > 0;

    /// <summary>The request is here.</summary>
    public void Arrived()
    {
        if (isBehindOthers || hasOthers()) missing = Math.Min(missing + Overlap, needed);
        else if (missing > 0) missing--;
    }

    /// <summary>Carries out a request: it may wait until the scope is disposed of. <see cref="End"/> follows.</summary>
    public InlineWaits.Scope Begin()
    {
        if (missing > 0) return InlineWaits.Keep();
        waitsBefore = InlineWaits.Count;
        beganAt = Stopwatch.GetTimestamp();
        return InlineWaits.Allow();
    }

    /// <summary>The request is carried out, or goes on elsewhere.</summary>
    public void End()
    {
        if (missing > 0 || InlineWaits.Count == waitsBefore) return;
        if (connection.HasInput || Stopwatch.GetElapsedTime(beganAt) > LongestWait)
        {
            missing = needed = Math.Min(needed * 4, EnoughAtMost);
            rightSince = 0;
        }
        else if (++rightSince >= needed)
        {
            needed = Math.Max(needed / 4, Enough);
            rightSince = 0;
        }

        Invariant.Require(missing <= needed && needed is >= Enough and <= EnoughAtMost);
    }
}
