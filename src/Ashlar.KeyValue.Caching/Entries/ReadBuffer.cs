using System.Buffers;

namespace Ashlar.KeyValue.Caching.Entries;

/// <summary>
/// Takes an entry from the store, header and payload, in memory that is used again. For one thread, without awaits between.
/// </summary>
sealed class ReadBuffer : IBufferWriter<byte>
{
    const int KeptBytes = 64 << 10;

    [ThreadStatic]
    static ReadBuffer? kept;

    byte[] bytes = [];
    int count;

    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, count);

    public ReadOnlySpan<byte> Payload => Written[EntryHeader.SizeBytes..];

    /// <summary>The header of what was read, to be changed.</summary>
    public Span<byte> Head => bytes.AsSpan(0, EntryHeader.SizeBytes);

    public static ReadBuffer Rent()
    {
        var buffer = kept ?? new ReadBuffer();
        kept = null;
        buffer.count = 0;
        return buffer;
    }

    public void Return()
    {
        if (bytes.Length > KeptBytes)
        {
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = [];
        }

        kept = this;
    }

    public void Advance(int count) => this.count += count;

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
