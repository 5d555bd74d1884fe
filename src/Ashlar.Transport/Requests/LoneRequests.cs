using System.Diagnostics;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>
/// Learns whether a client sends its next request only when it has the answer to the last one, as one of depth 1 does. The connection's
/// thread may then wait for the disk in the middle of a request (<see cref="InlineWaits"/>) instead of handing it over: nothing that
/// the client has sent waits meanwhile. The connection's own thread only.
/// </summary>
public sealed class LoneRequests(Connection connection, InFlightRequests inFlight)
{
    // Requests alone, one after the other, that tell such a client; and after one that was mistaken for it.
    const int Enough = 32, EnoughAfterMistake = 512;

    // A request that ends elsewhere is answered just before it counts as ended: one that seems to overlap it now and then proves nothing.
    const int Overlap = 4;

    // What takes longer gains nothing by a hand-over less, and would keep a client waiting that does send the next one.
    static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(2);

    bool isBehindOthers;
    int missing = Enough;
    long waitsBefore;
    long beganAt;

    /// <summary>The thread is about to take the next request, from what has been received or from the wire.</summary>
    public void TakeNext() => isBehindOthers = connection.BufferedBytes > 0;

    /// <summary>The request is here.</summary>
    public void Arrived()
    {
        if (isBehindOthers || inFlight.Count > 0) missing = Math.Max(missing, Math.Min(missing + Overlap, Enough));
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
        if (Stopwatch.GetElapsedTime(beganAt) > LongestWait) missing = Enough;
        if (connection.HasInput) missing = EnoughAfterMistake;
    }
}
