using System.Runtime.InteropServices;

namespace Ashlar.KeyValue.MemTables;

/// <summary>
/// Native memory that is handed out in pieces, never moved and freed all at once: invisible to the garbage collector. One
/// thread allocates.
/// </summary>
sealed unsafe class Arena
{
    const int FirstChunkBytes = 32 << 10;
    const int LargestChunkBytes = 2 << 20;

    /// <summary>Longer pieces get memory of their own, so that little of a chunk is cut off for want of room.</summary>
    const int LongestInChunkBytes = LargestChunkBytes / 8;

    readonly List<nint> chunks = [];
    byte* next;
    long left;
    long usedBytes;
    long takenBytes;

#pragma warning disable MA0055 // The safety net for a cursor that nobody disposed; owners call Free.
    ~Arena() => FreeChunks();
#pragma warning restore MA0055

    /// <summary>Bytes handed out, with what was cut off of chunks that had no room for the next piece.</summary>
    public long UsedBytes => Volatile.Read(ref usedBytes);

    /// <summary>Bytes of all chunks.</summary>
    public long TakenBytes => takenBytes;

    /// <summary>A piece of memory aligned to 8 bytes, with undefined content.</summary>
    public byte* Allocate(int lengthBytes)
    {
        var size = ((long)lengthBytes + 7) & ~7L;
        if (size > LongestInChunkBytes)
        {
            Volatile.Write(ref usedBytes, usedBytes + size);
            return NewChunk(size);
        }

        if (size > left) ChangeChunk(size);
        var piece = next;
        next += size;
        left -= size;
        Volatile.Write(ref usedBytes, usedBytes + size);
        return piece;
    }

    /// <summary>Gives all memory back. The finalizer finds nothing left to do then.</summary>
    public void Free() => FreeChunks();

    void ChangeChunk(long minBytes)
    {
        var size = Math.Max(minBytes, Math.Min(LargestChunkBytes, (long)FirstChunkBytes << Math.Min(chunks.Count, 8)));
        var chunk = NewChunk(size);
        Volatile.Write(ref usedBytes, usedBytes + left);
        next = chunk;
        left = size;
    }

    byte* NewChunk(long size)
    {
        var chunk = (byte*)NativeMemory.AlignedAlloc((nuint)size, 64);
        chunks.Add((nint)chunk);
        takenBytes += size;
        return chunk;
    }

    void FreeChunks()
    {
        foreach (var chunk in chunks) NativeMemory.AlignedFree((void*)chunk);
        chunks.Clear();
        next = null;
        left = 0;
    }
}
