namespace Ashlar.Nbd.Transmission;

/// <summary>
/// Counts the requests that a device has not completed synchronously, so that a client cannot queue without bound. Only
/// the connection's own thread enters; any thread leaves.
/// </summary>
sealed class InFlightRequests
{
    public const int MaxRequests = 128;
    public const long MaxBytes = 64L << 20;

    readonly object gate = new();
    int count;
    long bytes;

    public bool IsFull => Volatile.Read(ref count) >= MaxRequests || Volatile.Read(ref bytes) >= MaxBytes;

    public void Enter(long bufferBytes)
    {
        lock (gate)
        {
            count++;
            bytes += bufferBytes;
        }
    }

    public void Leave(long bufferBytes)
    {
        lock (gate)
        {
            count--;
            bytes -= bufferBytes;
            Monitor.PulseAll(gate);
        }
    }

    public void WaitForRoom()
    {
        lock (gate)
        {
            while (IsFull) Monitor.Wait(gate);
        }
    }

    public void WaitForAll()
    {
        lock (gate)
        {
            while (count > 0) Monitor.Wait(gate);
        }
    }
}
