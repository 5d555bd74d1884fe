namespace Ashlar.Nvme;

/// <summary>What is answered to an Asynchronous Event Request.</summary>
readonly record struct EventAnswer(NvmeStatus Status, ulong Result);

/// <summary>What a host may be told.</summary>
enum EventKind
{
    /// <summary>Its namespace is another than it was.</summary>
    NamespaceAttributes = 0,

    /// <summary>There is something to be read about reservations.</summary>
    Reservations,

    /// <summary>The way to its namespace is another than it was.</summary>
    AsymmetricAccess,
}

/// <summary>
/// Tells a host what happens to its namespace (NVM Express Base 2.0, 5.2): by an answer to a request that waits for it. An event is told
/// once, and again only after the host has read the log that belongs to it.
/// </summary>
sealed class AsynchronousEvents(QueuePair admin)
{
    /// <summary>Requests that may wait.</summary>
    public const int MaxWaiting = 4;

    /// <summary>Bits of the feature by which hosts say what they want to be told.</summary>
    public const uint Supported = NamespaceAttributes | AsymmetricAccess;

    const uint NamespaceAttributes = 1 << 8, AsymmetricAccess = 1 << 11;

    /// <summary>The event's type is in bits 0 to 2, its information in 8 to 15, the log that belongs to it in 16 to 23.</summary>
    static readonly ulong[] Results =
    [
        2 | ((ulong)LogPage.ChangedNamespaces << 16),             // A notice: "namespace attributes changed".
        6 | ((ulong)LogPage.Reservations << 16),                  // Of the command set: "reservation log page available".
        2 | (3UL << 8) | ((ulong)LogPage.AsymmetricAccess << 16), // A notice: "asymmetric namespace access change".
    ];

    readonly Lock gate = new();
    readonly Queue<QueuedCommand> waiting = [];
    readonly bool[] isDue = new bool[Results.Length];
    readonly bool[] isTold = new bool[Results.Length];
    bool hasEnded;

    /// <summary>What the host wants to be told, of what it may choose.</summary>
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
            for (var kind = 0; kind < Results.Length; kind++)
            {
                if (!isDue[kind] || isTold[kind] || !IsWanted((EventKind)kind)) continue;
                isTold[kind] = true;
                now = new(NvmeStatus.Success, Results[kind]);
                return false;
            }
            waiting.Enqueue(request);
            now = default;
            return true;
        }
    }

    /// <summary>Something has happened. Any thread.</summary>
    public void Raise(EventKind kind)
    {
        lock (gate)
        {
            isDue[(int)kind] = true;
            if (hasEnded || isTold[(int)kind] || !IsWanted(kind) || waiting.Count == 0) return;
            isTold[(int)kind] = true;
            // Under the gate, so that the queue does not end in between.
            admin.CompleteElsewhere(waiting.Dequeue(), NvmeStatus.Success, Results[(int)kind]);
        }
    }

    /// <summary>The host reads the log that belongs to an event.</summary>
    /// <param name="kind">The event.</param>
    /// <param name="clear">Whether it is to be told when that happens again.</param>
    /// <returns>Whether it has happened.</returns>
    public bool Read(EventKind kind, bool clear)
    {
        lock (gate)
        {
            var was = isDue[(int)kind];
            if (clear) isDue[(int)kind] = isTold[(int)kind] = false;
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

    // Those of reservations are masked one by one, before they come here.
    bool IsWanted(EventKind kind) => kind switch
    {
        EventKind.NamespaceAttributes => (Configuration & NamespaceAttributes) != 0,
        EventKind.AsymmetricAccess => (Configuration & AsymmetricAccess) != 0,
        _ => true,
    };
}
