using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nvme;

/// <summary>A command from its capsule to its response. Used again for others by the connection's thread.</summary>
sealed class QueuedCommand
{
    int stage;

    public SubmissionEntry Entry { get; private set; }

    /// <summary>Where its data are, or go to.</summary>
    public PooledBuffer? Buffer { get; private set; }

    /// <summary>Data that the host is asked for.</summary>
    public int WantedBytes { get; set; }

    public int ReceivedBytes { get; set; }

    /// <summary>The other command of a fused operation.</summary>
    public QueuedCommand? Partner { get; set; }

    /// <summary>It has all that it needs of the host, and waits for its partner.</summary>
    public bool IsComplete { get; set; }

    /// <summary>How it ends once its data are here, if it is not to be carried out.</summary>
    public NvmeStatus Refusal { get; set; }

    /// <summary>Data came damaged.</summary>
    public bool IsDamaged { get; set; }

    /// <summary>When data that were asked for are due; 0 while none are.</summary>
    public long DataDueAt { get; set; }

    public ReadOnlyMemory<byte> Data => Buffer!.Memory[..WantedBytes];

    public void Begin(in SubmissionEntry entry)
    {
        Invariant.Require(Buffer is null);
        Entry = entry;
        WantedBytes = ReceivedBytes = 0;
        Partner = null;
        Refusal = NvmeStatus.Success;
        IsComplete = false;
        IsDamaged = false;
        DataDueAt = 0;
        Volatile.Write(ref stage, Waiting);
    }

    /// <summary>Room for its data.</summary>
    public void Grant(PooledBuffer buffer)
    {
        Invariant.Require(Buffer is null && buffer.Length >= WantedBytes);
        Buffer = buffer;
    }

    /// <summary>Gives away its buffer.</summary>
    public PooledBuffer? TakeBuffer()
    {
        var taken = Buffer;
        Buffer = null;
        return taken;
    }

    // It is aborted, or carried out, and never both: whoever changes the stage first decides.
    const int Waiting = 0, Runs = 1, Aborted = 2;

    /// <summary>The command is about to have effects.</summary>
    /// <returns>False when it was aborted.</returns>
    public bool TryRun() => Interlocked.CompareExchange(ref stage, Runs, Waiting) == Waiting;

    /// <summary>Sees to it that the command never has effects. Any thread.</summary>
    /// <returns>False when it may have had some.</returns>
    public bool TryAbort() => Interlocked.CompareExchange(ref stage, Aborted, Waiting) != Runs;
}
