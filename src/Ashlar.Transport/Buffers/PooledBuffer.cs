using System.Runtime.InteropServices;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>A pinned buffer with one owner, who disposes it exactly once. Its content is undefined when rented.</summary>
public sealed class PooledBuffer : IDisposable
{
    readonly BufferPool pool;
    readonly byte[] bytes;
    int rented;

    internal PooledBuffer(BufferPool pool, int sizeClass, int lengthBytes)
    {
        this.pool = pool;
        SizeClass = sizeClass;
        bytes = GC.AllocateUninitializedArray<byte>(lengthBytes, pinned: true);
    }

    /// <summary>Length in bytes: at least what was asked for.</summary>
    public int Length => bytes.Length;

    /// <summary>The bytes.</summary>
    public Span<byte> Span => bytes;

    /// <summary>The bytes, for calls that may complete later.</summary>
    public Memory<byte> Memory => MemoryMarshal.CreateFromPinnedArray(bytes, 0, bytes.Length);

    internal int SizeClass { get; }

    /// <summary>Gives the buffer back to its pool.</summary>
    public void Dispose()
    {
        // Twice would give one buffer to two owners: data of one client in the replies to another.
        Invariant.Require(Interlocked.Exchange(ref rented, 0) == 1);
        pool.Return(this);
    }

    internal void MarkRented() => Invariant.Require(Interlocked.Exchange(ref rented, 1) == 0);
}
