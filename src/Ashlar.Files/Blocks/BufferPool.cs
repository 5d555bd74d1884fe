using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Buffers of one size that all uploads and downloads share. There are never more than the bound: who needs one waits for it.
/// </summary>
/// <param name="bufferBytes">Bytes of each.</param>
/// <param name="bound">How many there are at most.</param>
public sealed class BufferPool(int bufferBytes, int bound) : IDisposable
{
    /// <summary>What a request of a storage node carries at most.</summary>
    public const int DefaultBufferBytes = 256 << 10;

    readonly Lock gate = new();
    readonly Stack<byte[]> free = new();
    readonly SemaphoreSlim available = new(bound, bound);

    /// <summary>Bytes of each buffer.</summary>
    public int BufferBytes => bufferBytes;

    /// <summary>Buffers that are in use.</summary>
    public int InUse => bound - available.CurrentCount;

    /// <summary>Takes a buffer of which the caller has the only share.</summary>
    public async ValueTask<SharedBuffer> RentAsync(CancellationToken cancellation)
    {
        await available.WaitAsync(cancellation);
        byte[]? bytes;
        lock (gate) free.TryPop(out bytes);
        return new SharedBuffer(this, bytes ?? GC.AllocateUninitializedArray<byte>(bufferBytes, pinned: true));
    }

    /// <summary>Ends it. Buffers that are in use stay valid.</summary>
    public void Dispose() => available.Dispose();

    internal void Return(byte[] bytes)
    {
        lock (gate) free.Push(bytes);
        available.Release();
    }
}

/// <summary>A buffer of a <see cref="BufferPool"/> that several read from at a time: it returns when the last of them lets it go.</summary>
/// <remarks>
/// Whoever has given it to an operation keeps a share until that has ended, cancelled or not: its bytes would be another's.
/// </remarks>
public sealed class SharedBuffer
{
    readonly BufferPool? pool;
    readonly byte[] bytes;
    int shares = 1;

    internal SharedBuffer(BufferPool? pool, byte[] bytes) => (this.pool, this.bytes) = (pool, bytes);

    /// <summary>Bytes that belong to no pool, as a cache has them: nobody changes them any more.</summary>
    public static SharedBuffer Of(byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        return new SharedBuffer(null, bytes) { LengthBytes = bytes.Length };
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
        if (left == 0) pool?.Return(bytes);
    }
}
