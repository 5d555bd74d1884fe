using System.Buffers;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>
/// A buffer outside of the garbage collector's memory, with one owner, who disposes it exactly once. Its content is undefined
/// when rented.
/// </summary>
public sealed unsafe class PooledBuffer : MemoryManager<byte>, IDisposable
{
    readonly byte* bytes;
    BufferShare? owner;

    internal PooledBuffer(int sizeClass, int lengthBytes)
    {
        SizeClass = sizeClass;
        Length = lengthBytes;
        bytes = NativePages.Allocate((nuint)lengthBytes);
    }

    /// <summary>Length in bytes: at least what was asked for.</summary>
    public int Length { get; }

    /// <summary>The bytes.</summary>
    public Span<byte> Span => new(bytes, Length);

    internal int SizeClass { get; }

    /// <summary>Gives the buffer back to its pool.</summary>
    public void Dispose()
    {
        // Twice would give one buffer to two owners: data of one client in the replies to another.
        var share = Interlocked.Exchange(ref owner, null);
        Invariant.Require(share is not null);
        share.Return(this);
    }

    /// <inheritdoc />
    public override Span<byte> GetSpan() => Span;

    /// <inheritdoc />
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        Invariant.Require((uint)elementIndex <= (uint)Length);
        return new(bytes + elementIndex); // It does not move.
    }

    /// <inheritdoc />
    public override void Unpin()
    {
    }

    internal void MarkRented(BufferShare share) => Invariant.Require(Interlocked.Exchange(ref owner, share) is null);

    internal void Free() => NativePages.Free(bytes, (nuint)Length);

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
    }
}
