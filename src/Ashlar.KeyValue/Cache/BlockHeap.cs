using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Cache;

/// <summary>
/// Memory of a cache's blocks: pieces of large chunks, found by size and joined with their free neighbours when they come back
/// (two-level segregated fit; Masmano and others, "TLSF: a new dynamic memory allocator for real-time systems", 2004).
/// </summary>
/// <remarks>
/// The C library has a heap for every few threads, and what one frees another does not use: where threads come and go, as in a
/// thread pool, a cache of many small pieces grew to several times its budget.
/// <code>
/// chunk:  unused 8 | piece | piece | ... | end 8 (a piece in use, of no bytes)
/// piece:  header 8: bytes of the piece, a multiple of 16 | is free | the one before is free
///         in use: what the owner has, aligned to 16
///         free:   next and previous of its class, ..., bytes of the piece in the last 8
/// </code>
/// Invariant: no two free pieces are neighbours, each free piece is in the list of its class, and bytes of the one before are
/// read only where it is free.
/// </remarks>
sealed unsafe class BlockHeap
{
    const int HeaderBytes = sizeof(ulong);
    const int EdgeBytes = 2 * HeaderBytes; // What a chunk loses to its two ends.
    const int UnitBytes = 16;
    const int MinPieceBytes = 32; // A header, two links and the bytes at the end.
    const int SubclassBits = 5;
    const int Subclasses = 1 << SubclassBits;
    const int ClassCount = 18 * Subclasses; // Chunks of at most 32 MiB.
    const ulong Free = 1;
    const ulong BeforeFree = 2;
    const ulong Flags = UnitBytes - 1;

    readonly Lock gate = new();
    readonly nint[] classes = new nint[ClassCount];
    readonly ulong[] filled = new ulong[ClassCount / 64];
    readonly int chunkBytes;
    nint spare; // The piece that is all of a chunk: one is kept, so that a piece that comes and goes does not take the chunk along.
    long takenBytes;
    long usedBytes;
    bool isClosed;

    /// <summary>A heap without memory yet.</summary>
    /// <param name="chunkBytes">How much to take at a time; a power of two from 4 KiB to 32 MiB.</param>
    public BlockHeap(int chunkBytes)
    {
        Invariant.Require(BitOperations.IsPow2(chunkBytes) && chunkBytes is >= 4 << 10 and <= 32 << 20);
        this.chunkBytes = chunkBytes;
    }

    /// <summary>Bytes of all chunks, and of pieces with memory of their own.</summary>
    public long TakenBytes => Volatile.Read(ref takenBytes);

    /// <summary>Bytes of all pieces in use, as their owners asked for, and what they were rounded up by.</summary>
    public long UsedBytes => Volatile.Read(ref usedBytes);

    /// <summary>Longer ones have pages of their own: few, and no waste where a chunk ends.</summary>
    int LongestInChunkBytes => chunkBytes / 4;

    /// <summary>A piece of memory, aligned to 16 bytes, with undefined content.</summary>
    /// <exception cref="StorageException">The kernel grants no more.</exception>
    public void* Allocate(int bytes)
    {
        Invariant.Require(bytes > 0);
        if (bytes > LongestInChunkBytes) return AllocateAlone(bytes);
        var size = (ulong)Math.Max(MinPieceBytes, (bytes + HeaderBytes + UnitBytes - 1) & ~(UnitBytes - 1));
        using (gate.Hold())
        {
            var piece = FindFit(size);
            if (piece == null) piece = NewChunk();
            else Unlink(piece);
            Cut(piece, size);
            usedBytes += (long)(*piece & ~Flags);
            return piece + 1;
        }
    }

    /// <summary>Gives a piece back.</summary>
    /// <param name="memory">What <see cref="Allocate"/> returned.</param>
    /// <param name="bytes">What it was asked for.</param>
    public void Release(void* memory, int bytes)
    {
        if (bytes > LongestInChunkBytes)
        {
            ReleaseAlone(memory, bytes);
            return;
        }

        using (gate.Hold())
        {
            var piece = (ulong*)memory - 1;
            var size = *piece & ~Flags;
            Invariant.Require((*piece & Free) == 0 && size >= (ulong)bytes + HeaderBytes); // Given back once, and not written over.
            *piece |= Free; // Also where it is joined to the one before, and this header is none any more: a second time is noticed.
            usedBytes -= (long)size;
            var next = After(piece, size);
            if ((*next & Free) != 0)
            {
                Unlink(next);
                size += *next & ~Flags;
            }

            if ((*piece & BeforeFree) != 0)
            {
                var bytesBefore = *(piece - 1);
                piece = (ulong*)((byte*)piece - bytesBefore);
                Invariant.Require((*piece & ~Flags) == bytesBefore && (*piece & Free) != 0);
                Unlink(piece);
                size += bytesBefore;
            }

            if (size != (ulong)(chunkBytes - EdgeBytes) || (!isClosed && spare == 0) || !TryFreeChunk(piece)) Link(piece, size);
        }
    }

    /// <summary>Lets go of all chunks: now, or when the last piece of each comes back.</summary>
    public void Close()
    {
        using (gate.Hold())
        {
            isClosed = true;
            if (spare == 0) return;
            var piece = (ulong*)spare;
            Unlink(piece);
            if (!TryFreeChunk(piece)) Link(piece, (ulong)(chunkBytes - EdgeBytes));
        }
    }

    static ulong* After(ulong* piece, ulong size) => (ulong*)((byte*)piece + size);

    // Sizes up to 31 units have classes of their own; above, 32 classes from one power of two to the next.
    static int ClassOf(ulong size)
    {
        var units = size / UnitBytes;
        if (units < Subclasses) return (int)units;
        var log = BitOperations.Log2(units);
        return ((log - SubclassBits + 1) << SubclassBits) | (int)((units >> (log - SubclassBits)) & (Subclasses - 1));
    }

    // The first of its own class if it is large enough, and otherwise any of the next class that has one: all of those are.
    ulong* FindFit(ulong size)
    {
        var own = ClassOf(size);
        var first = (ulong*)classes[own];
        if (first != null && (*first & ~Flags) >= size) return first;
        var word = (own + 1) / 64;
        if (word == filled.Length) return null;
        var larger = filled[word] & (ulong.MaxValue << ((own + 1) % 64));
        while (larger == 0)
        {
            if (++word == filled.Length) return null;
            larger = filled[word];
        }

        return (ulong*)classes[(word * 64) + BitOperations.TrailingZeroCount(larger)];
    }

    // Takes what is needed of a free piece that is in no list; the rest goes back to one.
    void Cut(ulong* piece, ulong size)
    {
        var whole = *piece & ~Flags;
        Invariant.Require(whole >= size);
        if (whole - size < MinPieceBytes) size = whole;
        *piece = size; // What comes before a free piece is in use.
        var next = After(piece, size);
        if (size == whole) *next &= ~BeforeFree;
        else Link(next, whole - size);
    }

    void Link(ulong* piece, ulong size)
    {
        *piece = size | Free;
        var next = After(piece, size);
        *(next - 1) = size;
        *next |= BeforeFree;
        var own = ClassOf(size);
        var first = (ulong*)classes[own];
        piece[1] = (ulong)first;
        piece[2] = 0;
        if (first != null) first[2] = (ulong)piece;
        classes[own] = (nint)piece;
        filled[own / 64] |= 1UL << (own % 64);
        if (size == (ulong)(chunkBytes - EdgeBytes)) spare = (nint)piece;
    }

    void Unlink(ulong* piece)
    {
        var own = ClassOf(*piece & ~Flags);
        var next = (ulong*)piece[1];
        var previous = (ulong*)piece[2];
        if (next != null) next[2] = (ulong)previous;
        if (previous != null) previous[1] = (ulong)next;
        else classes[own] = (nint)next;
        if (classes[own] == 0) filled[own / 64] &= ~(1UL << (own % 64));
        if (spare == (nint)piece) spare = 0;
    }

    ulong* NewChunk()
    {
        var length = (nuint)chunkBytes;
        var chunk = (ulong*)(length % NativePages.LargePageBytes == 0 ? NativePages.AllocateLarge(length) : NativePages.Allocate(length));
        takenBytes += chunkBytes;
        var piece = chunk + 1;
        *piece = (ulong)(chunkBytes - EdgeBytes);
        *After(piece, *piece) = 0;
        return piece;
    }

    bool TryFreeChunk(ulong* piece)
    {
        if (!NativePages.TryFree((byte*)(piece - 1), (nuint)chunkBytes)) return false;
        takenBytes -= chunkBytes;
        return true;
    }

    void* AllocateAlone(int bytes)
    {
        var memory = NativePages.Allocate((nuint)bytes);
        using (gate.Hold()) Count(bytes);
        return memory;
    }

    void ReleaseAlone(void* memory, int bytes)
    {
        using (gate.Hold()) Count(-bytes);
        NativePages.Free((byte*)memory, (nuint)bytes);
    }

    void Count(int bytes)
    {
        takenBytes += bytes;
        usedBytes += bytes;
    }
}
