using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nvme;

/// <summary>
/// Commands of one queue that hold no memory yet for their data, in their order: the data are asked for when there is room for all of
/// them.
/// </summary>
/// <remarks>
/// Room comes when anybody gives memory back, so any thread may go on here. The gate is never held while something is sent or given
/// back: both may lead to another queue's gate.
/// </remarks>
sealed class WriteGrants(BufferShare buffers, Action<QueuedCommand> ask, Action send) : IBufferWaiter
{
    readonly Lock gate = new();
    readonly LinkedList<QueuedCommand> waiting = new();
    int wantedBytes;

    // Read under the pool's lock, so without the gate, under which the pool is called.
    public int WantedBytes => Volatile.Read(ref wantedBytes);

    /// <summary>A command waits for room.</summary>
    public void Add(QueuedCommand command)
    {
        bool isFirst;
        using (gate.EnterScope())
        {
            isFirst = waiting.Count == 0;
            waiting.AddLast(command);
            NoteFirst();
        }
        if (isFirst) buffers.Wait(this);
    }

    /// <summary>A command waits no longer: afterwards it either has its room, or never gets any.</summary>
    public void Remove(QueuedCommand command)
    {
        bool isLast;
        using (gate.EnterScope())
        {
            isLast = waiting.Remove(command) && waiting.Count == 0;
            NoteFirst();
        }
        if (isLast) buffers.EndWait(this);
    }

    public void TryGoOn()
    {
        var isGranted = false;
        using (gate.EnterScope())
        {
            while (waiting.First is { } first && buffers.TryRentWaited(first.Value.WantedBytes) is { } buffer)
            {
                waiting.RemoveFirst();
                first.Value.Grant(buffer);
                ask(first.Value);
                isGranted = true;
            }
            NoteFirst();
            // Under the gate, so that no Add comes in between that would be forgotten.
            if (isGranted && waiting.Count == 0) buffers.EndWait(this);
        }
        if (isGranted) send();
    }

    void NoteFirst() => Volatile.Write(ref wantedBytes, waiting.First?.Value.WantedBytes ?? 0);
}
