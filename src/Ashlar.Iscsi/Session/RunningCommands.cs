using Ashlar.Storage;

namespace Ashlar.Iscsi;

/// <summary>
/// Counts commands that go on after the connection's thread has left them, and the memory they hold: the bound on what one
/// connection can take, and what has to end before a session is over.
/// </summary>
sealed class RunningCommands
{
    /// <summary>Bytes beyond which the connection takes no further command.</summary>
    public const long MaxBytes = 16L << 20;

    readonly object gate = new();
    int count;
    long bytes;

    public int Count => Volatile.Read(ref count);

    public bool IsFull => Volatile.Read(ref bytes) > MaxBytes;

    public void Enter(int heldBytes)
    {
        lock (gate)
        {
            count++;
            bytes += heldBytes;
        }
    }

    public void Leave(int heldBytes)
    {
        lock (gate)
        {
            count--;
            bytes -= heldBytes;
            Invariant.Require(count >= 0 && bytes >= 0);
            Monitor.PulseAll(gate);
        }
    }

    public void WaitForRoom()
    {
        if (!IsFull) return;
        lock (gate)
            while (bytes > MaxBytes) Monitor.Wait(gate);
    }

    public void WaitUntilIdle()
    {
        if (Count == 0) return;
        lock (gate)
            while (count > 0) Monitor.Wait(gate);
    }
}
