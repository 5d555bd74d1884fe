using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.Blocks;

/// <summary>Collects entries in order and writes them as a block (see <see cref="BlockLayout"/>).</summary>
sealed class BlockBuilder
{
    readonly List<Entry> entries = [];
    readonly FieldRange[] ranges = new FieldRange[BlockLayout.FieldCount]; // That of Start is of how many bytes entries have.

    // Of each entry its whole key, then what else of it does not go to its row.
    byte[] heap = new byte[8192];
    int heapBytes;
    int prefixLength;
    byte[] block = [];

    // Of all fields but that of Start, as far as the ranges go.
    int rowBytes;

    public BlockBuilder() => Clear();

    public int Count => entries.Count;

    /// <summary>Size of the block if it were finished now.</summary>
    public int SizeBytes => checked(
        BlockLayout.HeaderBytes + prefixLength + ((rowBytes + StartWidth) * Count) + PackedHeapBytes + BlockLayout.TrailerBytes);

    int PackedHeapBytes => heapBytes - (prefixLength * Count);

    bool AreAllAsLong => ranges[(int)BlockField.Start].IsSingle;

    int StartWidth => AreAllAsLong ? 0 : FieldRange.WidthOf((ulong)PackedHeapBytes);

    public void Add(EntryKind kind, ReadOnlySpan<byte> key, ulong sequence, ReadOnlySpan<byte> stored)
    {
        var inline = kind.HasPlace() ? stored[..^ValuePlace.EncodedBytes] : stored;
        var bytes = checked(key.Length + inline.Length);
        prefixLength = Count == 0 ? key.Length : key.CommonPrefixLength(heap.AsSpan(0, prefixLength));
        Reserve(ref heap, checked(heapBytes + bytes), heapBytes);
        key.CopyTo(heap.AsSpan(heapBytes));
        inline.CopyTo(heap.AsSpan(heapBytes + key.Length));
        var isWider = Include(BlockField.Start, (ulong)bytes);
        isWider |= Include(BlockField.SuffixBytes, (ulong)key.Length);
        isWider |= Include(BlockField.Kind, (ulong)kind);
        isWider |= Include(BlockField.Sequence, sequence);
        var place = default(ValuePlace);
        if (kind.HasPlace())
        {
            place = ValuePlace.Read(kind, stored);
            isWider |= Include(BlockField.SegmentId, place.SegmentId);
            isWider |= Include(BlockField.Offset, (ulong)place.Offset);
            isWider |= Include(BlockField.LengthBytes, (ulong)place.LengthBytes);
            isWider |= Include(BlockField.ValueCrc, place.ValueCrc);
        }

        if (isWider)
        {
            rowBytes = 0;
            for (var index = (int)BlockField.Start + 1; index < ranges.Length; index++) rowBytes += ranges[index].Width;
        }

        entries.Add(new Entry(heapBytes, bytes, key.Length, kind, sequence, place));
        heapBytes += bytes;
    }

    /// <summary>Completes the block for its place in the file. The bytes are valid until <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Finish(uint tableSeed, long offset, out BlockHandle handle)
    {
        var size = SizeBytes;
        Reserve(ref block, size, kept: 0);
        var bytes = block.AsSpan(0, size);
        bytes[..BlockLayout.HeaderBytes].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(bytes[BlockLayout.CountStart..], Count);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[BlockLayout.PrefixLengthStart..], checked((ushort)prefixLength));
        var columns = new Columns();
        for (var index = 0; index < ranges.Length; index++)
        {
            var (width, min) = ColumnOf((BlockField)index);
            bytes[BlockLayout.WidthsStart + index] = (byte)width;
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[(BlockLayout.BasesStart + (sizeof(ulong) * index))..], min);
            columns[index] = (width, min);
        }

        heap.AsSpan(0, prefixLength).CopyTo(bytes[BlockLayout.HeaderBytes..]);
        WriteHeap(WriteRows(bytes[(BlockLayout.HeaderBytes + prefixLength)..], columns));
        var trailer = bytes[^Block.TrailerBytes..];
        trailer.Clear();
        trailer[0] = Block.PackedEncoding;
        var crc = Block.Checksum(tableSeed, offset, bytes[..^4]);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], crc);
        handle = new BlockHandle(offset, size, crc);
        return bytes;
    }

    public void Clear()
    {
        entries.Clear();
        ranges.AsSpan().Fill(new FieldRange());
        heapBytes = 0;
        prefixLength = 0;
        rowBytes = 0;
    }

    Span<byte> WriteRows(Span<byte> target, ReadOnlySpan<(int Width, ulong Base)> columns)
    {
        var start = 0;
        foreach (ref readonly var entry in CollectionsMarshal.AsSpan(entries))
        {
            Write(ref target, columns[(int)BlockField.Start], (ulong)start);
            Write(ref target, columns[(int)BlockField.SuffixBytes], (ulong)(entry.KeyBytes - prefixLength));
            Write(ref target, columns[(int)BlockField.Kind], (ulong)entry.Kind);
            Write(ref target, columns[(int)BlockField.Sequence], entry.Sequence);
            start += entry.Bytes - prefixLength;
            if (entry.Kind.HasPlace())
            {
                Write(ref target, columns[(int)BlockField.SegmentId], entry.Place.SegmentId);
                Write(ref target, columns[(int)BlockField.Offset], (ulong)entry.Place.Offset);
                Write(ref target, columns[(int)BlockField.LengthBytes], (ulong)entry.Place.LengthBytes);
                Write(ref target, columns[(int)BlockField.ValueCrc], entry.Place.ValueCrc);
            }
            else
            {
                for (var index = (int)BlockField.SegmentId; index < columns.Length; index++)
                    Write(ref target, columns[index], columns[index].Base);
            }
        }

        return target;
    }

    void WriteHeap(Span<byte> target)
    {
        foreach (ref readonly var entry in CollectionsMarshal.AsSpan(entries))
        {
            var packed = heap.AsSpan(entry.HeapStart + prefixLength, entry.Bytes - prefixLength);
            packed.CopyTo(target);
            target = target[packed.Length..];
        }
    }

    // Eight bytes, of which what comes next overwrites those above the width: the trailer at least follows.
    static void Write(ref Span<byte> target, (int Width, ulong Base) column, ulong value)
    {
        if (column.Width == 0) return;
        BinaryPrimitives.WriteUInt64LittleEndian(target, value - column.Base);
        target = target[column.Width..];
    }

    bool Include(BlockField field, ulong value) => ranges[(int)field].Include(value);

    (int Width, ulong Base) ColumnOf(BlockField field)
    {
        var range = ranges[(int)field];
        return field switch
        {
            BlockField.Start => AreAllAsLong ? (0, range.Base - (uint)prefixLength) : (StartWidth, 0),
            BlockField.SuffixBytes => (range.Width, range.Base - (uint)prefixLength),
            _ => (range.Width, range.Base),
        };
    }

    static void Reserve(ref byte[] buffer, int needed, int kept)
    {
        if (needed <= buffer.Length) return;
        var larger = GC.AllocateUninitializedArray<byte>((int)Math.Min(Array.MaxLength, Math.Max(needed, 2L * buffer.Length)));
        buffer.AsSpan(0, kept).CopyTo(larger);
        buffer = larger;
    }

    [InlineArray(BlockLayout.FieldCount)]
    struct Columns
    {
        (int Width, ulong Base) first;
    }

    readonly record struct Entry(int HeapStart, int Bytes, int KeyBytes, EntryKind Kind, ulong Sequence, ValuePlace Place);
}
