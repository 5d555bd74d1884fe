using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>A buffer of a <see cref="BufferPool"/> that several read from at a time: it returns when the last of them lets it go.</summary>
/// <remarks>
/// Whoever has given it to an operation keeps a share until that has ended, cancelled or not: its bytes would be another's.
/// </remarks>
public sealed class SharedBuffer
{
    readonly BufferPool? pool;
    readonly byte[] bytes;
    readonly Action? released;
    int shares = 1, holds = 1;
    bool isKept;

    internal SharedBuffer(BufferPool? pool, byte[] bytes, Action? released) =>
        (this.pool, this.bytes, this.released) = (pool, bytes, released);

    /// <summary>Bytes that belong to no pool, as a cache has them: nobody changes them any more.</summary>
    public static SharedBuffer Of(byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        return new SharedBuffer(null, bytes, null) { LengthBytes = bytes.Length };
    }

    /// <summary>Bytes of it that count.</summary>
    public int LengthBytes { get; set; }

    /// <summary>All of its space.</summary>
    public Memory<byte> Space => bytes;

    /// <summary>What counts.</summary>
    public ReadOnlyMemory<byte> Content => bytes.AsMemory(0, LengthBytes);

    /// <summary>Takes a share more. Only who has one may.</summary>
    public void Share() => Invariant.Require(Interlocked.Increment(ref shares) > 1);

    /// <summary>Lets a share go.</summary>
    public void Release()
    {
        var left = Interlocked.Decrement(ref shares);
        Invariant.Require(left >= 0); // Or its bytes were somebody else's by now.
        if (left > 0) return;
        released?.Invoke();
        LetGo();
    }

    /// <summary>
    /// Lets a share go after a call that was given the bytes has failed. Where the call has not ended yet, because its node does not
    /// answer, the bytes stay its own until it has; nobody waits for that.
    /// </summary>
    public void ReleaseAfter(Exception? failure)
    {
        if (failure is StorageNodeException { Ended: { IsCompleted: false } ended })
        {
            Interlocked.Increment(ref holds);
            _ = LetGoAfterAsync(ended);
        }

        Release();
    }

    async Task LetGoAfterAsync(Task ended)
    {
        await ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        LetGo();
    }

    /// <summary>Says that a cache keeps it: it is none of those that requests have any more.</summary>
    internal void Keep()
    {
        if (!Interlocked.Exchange(ref isKept, true)) pool?.Keep();
    }

    // Invariant: the bytes go back when neither a share nor a call has them.
    void LetGo()
    {
        if (Interlocked.Decrement(ref holds) == 0) pool?.Return(bytes, isKept);
    }
}
