using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>
/// Counts the requests of one connection that go on after its thread has left them, and the memory that they and their
/// replies hold: the bound on what one client can take, and what has to end before its devices are let go. Only the
/// connection's own thread enters and waits; any thread leaves.
/// </summary>
/// <param name="maxRequests">Requests at a time.</param>
/// <param name="maxBytes">Bytes held from which on no further request is taken.</param>
public sealed class InFlightRequests(int maxRequests, long maxBytes)
{
    readonly object gate = new();
    int count;
    long bytes;

    /// <summary>Requests that go on.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>Whether a further request has to wait.</summary>
    public bool IsFull => Volatile.Read(ref count) >= maxRequests || Volatile.Read(ref bytes) >= maxBytes;

    /// <summary>A request goes on elsewhere.</summary>
    public void Enter(long heldBytes)
    {
        lock (gate)
        {
            count++;
            bytes += heldBytes;
        }
    }

    /// <summary>A request has been answered, and its buffers are given back.</summary>
    public void Leave(long heldBytes)
    {
        lock (gate)
        {
            count--;
            bytes -= heldBytes;
            Invariant.Require(count >= 0 && bytes >= 0);
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Waits until a further request may be taken.</summary>
    public void WaitForRoom()
    {
        if (!IsFull) return;
        lock (gate)
            while (IsFull) Monitor.Wait(gate);
    }

    /// <summary>Waits until none goes on.</summary>
    public void WaitForAll()
    {
        if (Count == 0) return;
        lock (gate)
            while (count > 0) Monitor.Wait(gate);
    }
}
