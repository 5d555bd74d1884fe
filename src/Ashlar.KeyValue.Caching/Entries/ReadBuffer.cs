using System.Buffers;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Caching.Entries;

/// <summary>
/// Takes an entry from the store, header and payload, in memory that is used again. For one thread, without awaits between.
/// </summary>
/// <remarks>Invariants: one user at a time; nothing counts as written that was not given out.</remarks>
sealed class ReadBuffer : IBufferWriter<byte>
{
    const int KeptBytes = 64 << 10;

    [ThreadStatic]
    static ReadBuffer? kept;

    byte[] bytes = [];
    int count;
    bool isRented;

    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, count);

    public ReadOnlySpan<byte> Payload => Written[EntryHeader.SizeBytes..];

    /// <summary>The header of what was read, to be changed.</summary>
    public Span<byte> Head => bytes.AsSpan(0, EntryHeader.SizeBytes);

    public static ReadBuffer Rent()
    {
        var buffer = kept ?? new ReadBuffer();
        kept = null;
        Invariant.Require(!buffer.isRented);
        (buffer.count, buffer.isRented) = (0, true);
        return buffer;
    }

    public void Return()
    {
        Invariant.Require(isRented);
        isRented = false;
        if (bytes.Length > KeptBytes)
        {
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = [];
        }

        kept = this;
    }

    public void Advance(int count)
    {
        Invariant.Require(count >= 0 && count <= bytes.Length - this.count);
        this.count += count;
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var needed = count + Math.Max(sizeHint, 512);
        if (needed > bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(needed);
            bytes.AsSpan(0, count).CopyTo(larger);
            if (bytes.Length > 0) ArrayPool<byte>.Shared.Return(bytes);
            bytes = larger;
        }

        return bytes.AsMemory(count);
    }
}
