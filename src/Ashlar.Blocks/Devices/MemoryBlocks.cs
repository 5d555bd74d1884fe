namespace Ashlar.Blocks.Devices;

/// <summary>Block contents in memory, which is taken as blocks are first written.</summary>
/// <remarks>Each block is copied under a lock, so a reader sees it before or after a write, never in between.</remarks>
sealed class MemoryBlocks(long sizeBytes)
{
    const int ChunkShift = 16; // 64 KiB: whole blocks, and small enough to stay out of the large object heap.
    const int ChunkBytes = 1 << ChunkShift;
    const int LockCount = 64;

    readonly byte[]?[] chunks = new byte[]?[checked((int)((sizeBytes + ChunkBytes - 1) >> ChunkShift))];
    readonly Lock[] locks = [.. Enumerable.Range(0, LockCount).Select(_ => new Lock())];

    public void Read(long offsetBytes, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            var index = (int)(offsetBytes >> ChunkShift);
            var offset = (int)offsetBytes & (ChunkBytes - 1);
            var part = destination[..Math.Min(destination.Length, ChunkBytes - offset)];
            lock (locks[index & (LockCount - 1)])
            {
                if (chunks[index] is { } chunk) chunk.AsSpan(offset, part.Length).CopyTo(part);
                else part.Clear();
            }
            destination = destination[part.Length..];
            offsetBytes += part.Length;
        }
    }

    public void Write(long offsetBytes, ReadOnlySpan<byte> source)
    {
        while (!source.IsEmpty)
        {
            var index = (int)(offsetBytes >> ChunkShift);
            var offset = (int)offsetBytes & (ChunkBytes - 1);
            var part = source[..Math.Min(source.Length, ChunkBytes - offset)];
            lock (locks[index & (LockCount - 1)])
                part.CopyTo((chunks[index] ??= new byte[ChunkBytes]).AsSpan(offset));
            source = source[part.Length..];
            offsetBytes += part.Length;
        }
    }
}
