using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Buffers of one size for uploads and downloads. Nobody waits for one: each request has one for itself, and takes more only as long as
/// there is credit for them. So neither a client that is slow nor a node that does not answer holds up anybody else.
/// </summary>
/// <remarks>
/// What is in memory is bounded by the requests there are, one buffer each, and by the credits. A request that gets no credit goes on with
/// its own buffer, one piece after another.
/// </remarks>
/// <param name="bufferBytes">Bytes of each.</param>
/// <param name="bound">Buffers that requests may have beyond the one of their own: half of them uploads, half of them downloads.</param>
public sealed class BufferPool(int bufferBytes, int bound)
{
    /// <summary>What a request of a storage node carries at most.</summary>
    public const int DefaultBufferBytes = 256 << 10;

    const int MaxWholeBlocks = 2;

    readonly Lock gate = new();
    readonly Stack<byte[]> free = new();
    int inUse;

    /// <summary>Bytes of each buffer.</summary>
    public int BufferBytes => bufferBytes;

    /// <summary>Buffers that are in use.</summary>
    public int InUse => Volatile.Read(ref inUse);

    /// <summary>Pieces that downloads may have fetched ahead of their clients.</summary>
    internal BufferCredit Downloads { get; } = new(bound - (bound / 2));

    /// <summary>Pieces that uploads may have on their way to nodes while the next one comes.</summary>
    internal BufferCredit Uploads { get; } = new(bound / 2);

    /// <summary>Blocks of which all may be in memory at a time, because it is likely that the store has them.</summary>
    internal BufferCredit WholeBlocks { get; } = new(MaxWholeBlocks);

    /// <summary>Takes a buffer of which the caller has the only share.</summary>
    public SharedBuffer Rent() => Rent(null);

    /// <param name="released">Called when nobody has a share any more.</param>
    internal SharedBuffer Rent(Action? released)
    {
        byte[]? bytes;
        lock (gate) free.TryPop(out bytes);
        Interlocked.Increment(ref inUse);
        return new SharedBuffer(this, bytes ?? GC.AllocateUninitializedArray<byte>(bufferBytes, pinned: true), released);
    }

    /// <summary>A cache keeps one of those that are in use.</summary>
    internal void Keep() => Invariant.Require(Interlocked.Decrement(ref inUse) >= 0);

    internal void Return(byte[] bytes, bool wasKept)
    {
        if (!wasKept) Invariant.Require(Interlocked.Decrement(ref inUse) >= 0);
        lock (gate)
            if (free.Count < bound) free.Push(bytes); // More than that there were for a moment.
    }
}

/// <summary>How many buffers may be taken beyond those that each request has for itself. Who gets none does without. Any thread.</summary>
sealed class BufferCredit(int bound)
{
    readonly int bound = bound;
    int left = bound;

    public bool TryTake()
    {
        if (Interlocked.Decrement(ref left) >= 0) return true;
        Interlocked.Increment(ref left);
        return false;
    }

    public void Return() => Invariant.Require(Interlocked.Increment(ref left) <= bound);
}
