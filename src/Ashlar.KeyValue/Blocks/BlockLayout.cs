using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.Blocks;

// Block of a table, format version 1, encoding 1. Little-endian. Data blocks hold entries, index blocks entries whose value is a handle.
//   0       4              6      8           16         80
//   +-------+--------------+------+-----------+----------+--------+--------+-----+--------+----------+------+-----+
//   | Count | PrefixLength | Zero | Width [8] | Base [8] | Prefix | Row 0  | ... | Heap.. | Encoding | Zero | Crc |
//   +-------+--------------+------+-----------+----------+--------+--------+-----+--------+----------+------+-----+
//                                   1 each      8 each     what all keys begin with          1          3      4
// A row holds for each field the difference from its base, in as many bytes as its width says, 0 to 8: what is the same for all
// entries takes none. The heap holds for each entry the rest of its key, then what it stores; but a place is in the row.
// Crc covers everything before it and starts from the table's seed and the block's offset.
/// <summary>Where the parts of a block lie; made of a block's bytes once.</summary>
readonly unsafe struct BlockLayout
{
    public const int FieldCount = 8;
    public const int CountStart = 0;
    public const int PrefixLengthStart = 4;
    public const int WidthsStart = 8;
    public const int BasesStart = WidthsStart + FieldCount;
    public const int HeaderBytes = BasesStart + (sizeof(ulong) * FieldCount);
    public const int MaxWidth = sizeof(ulong);

    /// <summary>Reading a field loads eight bytes, wherever it ends: at least so many follow the rows.</summary>
    public const int TrailerBytes = 8;

    public readonly int Count;
    public readonly int PrefixLength;
    public readonly int RowBytes;
    public readonly int RowsStart;
    public readonly int HeapStart;
    public readonly int HeapBytes;

    // One byte for each field: where in a row it begins.
    readonly ulong positions;

    BlockLayout(int count, int prefixLength, int rowBytes, int heapStart, int heapBytes, ulong positions)
    {
        (Count, PrefixLength, RowBytes) = (count, prefixLength, rowBytes);
        (RowsStart, HeapStart, HeapBytes) = (HeaderBytes + prefixLength, heapStart, heapBytes);
        this.positions = positions;
    }

    /// <summary>Reads the layout of a whole block, trailer included; false where the parts do not fit into it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> block, out BlockLayout layout)
    {
        layout = default;
        if (block.Length < HeaderBytes + TrailerBytes) return false;
        var count = BinaryPrimitives.ReadInt32LittleEndian(block[CountStart..]);
        var prefixLength = BinaryPrimitives.ReadUInt16LittleEndian(block[PrefixLengthStart..]);
        var positions = 0UL;
        var rowBytes = 0;
        for (var field = 0; field < FieldCount; field++)
        {
            var width = block[WidthsStart + field];
            if (width > MaxWidth) return false;
            positions |= (ulong)rowBytes << (8 * field);
            rowBytes += width;
        }

        var heapStart = HeaderBytes + prefixLength + ((long)rowBytes * count);
        var heapBytes = block.Length - TrailerBytes - heapStart;
        if (count <= 0 || heapBytes < 0) return false;
        // No two entries are the same, so something differs; if nothing did, any number of them would fit.
        if (count > 1 && rowBytes == 0 && heapBytes < count) return false;
        layout = new BlockLayout(count, prefixLength, rowBytes, (int)heapStart, (int)heapBytes, positions);
        return true;
    }

    public static int WidthOf(byte* block, BlockField field) => block[WidthsStart + (int)field];

    public static ulong BaseOf(byte* block, BlockField field) =>
        Unsafe.ReadUnaligned<ulong>(block + BasesStart + (sizeof(ulong) * (int)field));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Read(byte* block, BlockField field, int index)
    {
        var at = block + RowsStart + ((nint)index * RowBytes) + (byte)(positions >> (8 * (int)field));
        return BaseOf(block, field) + LowBytes(Unsafe.ReadUnaligned<ulong>(at), WidthOf(block, field));
    }

    /// <summary>Where the bytes of an entry begin in the heap; of the one behind the last, where the heap ends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong StartOf(byte* block, int index)
    {
        if (WidthOf(block, BlockField.Start) == 0) return BaseOf(block, BlockField.Start) * (uint)index;
        return index == Count ? (uint)HeapBytes : Read(block, BlockField.Start, index);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong LowBytes(ulong value, int width)
    {
        if (Bmi2.X64.IsSupported) return Bmi2.X64.ZeroHighBits(value, (ulong)(8 * width));
        return width == MaxWidth ? value : value & ((1UL << (8 * width)) - 1);
    }
}

/// <summary>What a row of a block holds of its entry, in this order.</summary>
enum BlockField
{
    /// <summary>
    /// Where the entry's bytes begin in the heap; where all entries have as many, their number is the base and the field has no width.
    /// </summary>
    Start = 0,

    /// <summary>Bytes of the key behind the prefix.</summary>
    SuffixBytes,
    Kind,
    Sequence,

    /// <summary>Of entries with a <see cref="ValuePlace"/>: its parts.</summary>
    SegmentId,
    Offset,
    LengthBytes,
    ValueCrc,
}

/// <summary>Between which values a field of a block's entries lies: what is written is how far each is from the least.</summary>
struct FieldRange()
{
    ulong min = ulong.MaxValue;
    ulong max;

    public readonly bool IsSingle => max <= min;

    public readonly ulong Base => max < min ? 0 : min;

    /// <summary>Bytes that each difference takes.</summary>
    public readonly int Width => IsSingle ? 0 : WidthOf(max - min);

    public static int WidthOf(ulong value) => value == 0 ? 0 : (BitOperations.Log2(value) / 8) + 1;

    /// <summary>Widens the range to a value; false if that was in it.</summary>
    public bool Include(ulong value)
    {
        if (value >= min && value <= max) return false;
        min = Math.Min(min, value);
        max = Math.Max(max, value);
        return true;
    }
}
