using System.Runtime.InteropServices;

namespace Ashlar.KeyValue.Blocks;

/// <summary>
/// A block in memory that never moves: this header, the bytes as they are on disk, and for blocks of entries one
/// fragment of each key, four bytes, to search by (see <see cref="Block.Find"/>).
/// </summary>
/// <remarks>
/// The cache's links live in the header, so a cached block is one piece of native memory and nothing to the garbage
/// collector. Content is written before the block can be found and never after.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = HeaderBytes)]
unsafe struct BlockMemory
{
    public const int HeaderBytes = 128;

    // Where it is from. The number of a table, or of a segment with its highest bit set.
    public ulong TableId;
    public long Offset;

    // Links of the cache. Next is read by readers without a lock and stays as it was when the block is unlinked.
    public BlockMemory* Next;
    public BlockMemory* Before;
    public BlockMemory* After;
    public long RetiredAt;

    // Content.
    public BlockLayout Layout; // Of a block of entries.
    public int SizeBytes;
    public int FragmentsStart;

    /// <summary>Everything that this block takes: header, bytes, fragments.</summary>
    public int AllocatedBytes;

    /// <summary>Who may use it: the cache, and each reader that keeps it beyond one read.</summary>
    public int References;

    /// <summary>How often the clock's hand passes by before the block goes.</summary>
    public byte Credit;

    /// <summary>Whether the table keeps it for as long as it lives: nobody else need hold it.</summary>
    public bool IsKept;

    /// <summary>What a hit raises <see cref="Credit"/> to.</summary>
    public byte Worth;

    /// <summary>Of a value: what its place says of it, so that no other place finds it.</summary>
    public uint ValueCrc;
    public uint CrcSeed;

    public static int Needed(int sizeBytes, int count) => checked(HeaderBytes + ((sizeBytes + 3) & ~3) + (sizeof(uint) * count));
}
