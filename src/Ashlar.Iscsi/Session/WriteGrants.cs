using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Iscsi;

/// <summary>
/// Writes of one session that hold no memory yet, in their order: their data is asked for when there is room for all of it.
/// </summary>
/// <remarks>
/// Room comes when anybody gives memory back, so any thread may go on here. The gate is never held while something is sent or
/// given back: both may lead to another session's gate.
/// </remarks>
sealed class WriteGrants(BufferShare buffers, Action<IscsiTask> solicit, Action send) : IBufferWaiter
{
    readonly Lock gate = new();
    readonly LinkedList<IscsiTask> waiting = new();
    int wantedBytes;

    // Read under the pool's lock, so without the gate, under which the pool is called.
    public int WantedBytes => Volatile.Read(ref wantedBytes);

    /// <summary>A write waits for room.</summary>
    public void Add(IscsiTask task)
    {
        bool isFirst;
        using (gate.EnterScope())
        {
            isFirst = waiting.Count == 0;
            waiting.AddLast(task);
            NoteFirst();
        }
        if (isFirst) buffers.Wait(this);
    }

    /// <summary>A write waits no longer: afterwards it either has its room, or never gets any.</summary>
    public void Remove(IscsiTask task)
    {
        bool isLast;
        using (gate.EnterScope())
        {
            isLast = waiting.Remove(task) && waiting.Count == 0;
            NoteFirst();
        }
        if (isLast) buffers.EndWait(this);
    }

    public void TryGoOn()
    {
        var isEmpty = false;
        var isGranted = false;
        using (gate.EnterScope())
        {
            while (waiting.First is { } first && buffers.TryRentWaited(first.Value.WantedBytes) is { } buffer)
            {
                waiting.RemoveFirst();
                Invariant.Require(buffer.Length >= first.Value.WantedBytes);
                first.Value.Grant(buffer);
                solicit(first.Value);
                isGranted = true;
                isEmpty = waiting.Count == 0;
            }
            NoteFirst();
            // Under the gate, so that no Add comes in between that would be forgotten.
            if (isEmpty) buffers.EndWait(this);
        }
        if (isGranted) send();
    }

    void NoteFirst() => Volatile.Write(ref wantedBytes, waiting.First?.Value.WantedBytes ?? 0);
}
