namespace Ashlar.Nvme;

/// <summary>What is answered to an Asynchronous Event Request.</summary>
readonly record struct EventAnswer(NvmeStatus Status, ulong Result);

/// <summary>
/// Tells a host what happens to its namespace (NVM Express Base 2.0, 5.2): by an answer to a request that waits for it. An event is told
/// once, and again only after the host has read the log that belongs to it.
/// </summary>
sealed class AsynchronousEvents(QueuePair admin)
{
    /// <summary>Requests that may wait.</summary>
    public const int MaxWaiting = 4;

    /// <summary>Bits of the feature by which hosts say what they want to be told.</summary>
    public const uint NamespaceAttributes = 1 << 8;

    // Type "notice", information "namespace attributes", and the log of changed namespaces.
    const ulong NamespaceNotice = 2 | (0UL << 8) | ((ulong)LogPage.ChangedNamespaces << 16);

    readonly Lock gate = new();
    readonly Queue<QueuedCommand> waiting = [];
    bool isChanged;
    bool isTold;
    bool hasEnded;

    /// <summary>What the host wants to be told.</summary>
    public uint Configuration { get; set; }

    /// <summary>Keeps a request until there is something to tell.</summary>
    /// <returns>False when it is to be answered now.</returns>
    public bool TryHold(QueuedCommand request, out EventAnswer now)
    {
        lock (gate)
        {
            if (waiting.Count >= MaxWaiting)
            {
                now = new(NvmeStatus.AsynchronousEventLimitExceeded | NvmeStatus.DoNotRetry, 0);
                return false;
            }
            if (isChanged && !isTold && IsWanted)
            {
                isTold = true;
                now = new(NvmeStatus.Success, NamespaceNotice);
                return false;
            }
            waiting.Enqueue(request);
            now = default;
            return true;
        }
    }

    /// <summary>The size of the namespace is another. Any thread.</summary>
    public void NamespaceChanged()
    {
        QueuedCommand request;
        lock (gate)
        {
            isChanged = true;
            if (hasEnded || isTold || !IsWanted || waiting.Count == 0) return;
            isTold = true;
            request = waiting.Dequeue();
            // Under the gate, so that the queue does not end in between.
            admin.CompleteElsewhere(request, NvmeStatus.Success, NamespaceNotice);
        }
    }

    /// <summary>The host reads which namespaces have changed.</summary>
    /// <param name="clear">Whether it is to be told of further changes.</param>
    /// <returns>Whether its namespace has.</returns>
    public bool ReadChanged(bool clear)
    {
        lock (gate)
        {
            var was = isChanged;
            if (clear) isChanged = isTold = false;
            return was;
        }
    }

    /// <summary>The admin queue has ended: nobody can be told any more.</summary>
    public void End()
    {
        lock (gate)
        {
            hasEnded = true;
            waiting.Clear();
        }
    }

    bool IsWanted => (Configuration & NamespaceAttributes) != 0;
}
