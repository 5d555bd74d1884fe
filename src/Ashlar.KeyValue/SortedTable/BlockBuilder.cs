using System.Buffers.Binary;

namespace Ashlar.KeyValue;

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

    public BlockBuilder() => Clear();

    public int Count => entries.Count;

    /// <summary>Size of the block if it were finished now.</summary>
    public int SizeBytes
    {
        get
        {
            var rowBytes = 0;
            for (var index = 0; index < ranges.Length; index++) rowBytes += WidthOf((BlockField)index);
            return checked(BlockLayout.HeaderBytes + prefixLength + (rowBytes * Count) + PackedHeapBytes + BlockLayout.TrailerBytes);
        }
    }

    int PackedHeapBytes => heapBytes - (prefixLength * Count);

    bool AreAllAsLong => ranges[(int)BlockField.Start].IsSingle;

    public void Add(EntryKind kind, ReadOnlySpan<byte> key, ulong sequence, ReadOnlySpan<byte> stored)
    {
        var inline = kind.HasPlace() ? stored[..^ValuePlace.EncodedBytes] : stored;
        var bytes = checked(key.Length + inline.Length);
        prefixLength = Count == 0 ? key.Length : key.CommonPrefixLength(heap.AsSpan(0, prefixLength));
        Reserve(ref heap, checked(heapBytes + bytes), heapBytes);
        key.CopyTo(heap.AsSpan(heapBytes));
        inline.CopyTo(heap.AsSpan(heapBytes + key.Length));
        Include(BlockField.Start, (ulong)bytes);
        Include(BlockField.SuffixBytes, (ulong)key.Length);
        Include(BlockField.Kind, (ulong)kind);
        Include(BlockField.Sequence, sequence);
        var place = default(ValuePlace);
        if (kind.HasPlace())
        {
            place = ValuePlace.Read(kind, stored);
            Include(BlockField.SegmentId, place.SegmentId);
            Include(BlockField.Offset, (ulong)place.Offset);
            Include(BlockField.LengthBytes, (ulong)place.LengthBytes);
            Include(BlockField.ValueCrc, place.ValueCrc);
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
        for (var field = 0; field < ranges.Length; field++)
        {
            bytes[BlockLayout.WidthsStart + field] = (byte)WidthOf((BlockField)field);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[(BlockLayout.BasesStart + (sizeof(ulong) * field))..], BaseOf((BlockField)field));
        }

        heap.AsSpan(0, prefixLength).CopyTo(bytes[BlockLayout.HeaderBytes..]);
        var rest = bytes[(BlockLayout.HeaderBytes + prefixLength)..];
        WriteHeap(WriteRows(rest));
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
    }

    Span<byte> WriteRows(Span<byte> target)
    {
        var start = 0;
        foreach (var entry in entries)
        {
            Write(ref target, BlockField.Start, (ulong)start);
            Write(ref target, BlockField.SuffixBytes, (ulong)(entry.KeyBytes - prefixLength));
            Write(ref target, BlockField.Kind, (ulong)entry.Kind);
            Write(ref target, BlockField.Sequence, entry.Sequence);
            // An entry without a place has the bases: any value would do.
            var hasPlace = entry.Kind.HasPlace();
            Write(ref target, BlockField.SegmentId, hasPlace ? entry.Place.SegmentId : BaseOf(BlockField.SegmentId));
            Write(ref target, BlockField.Offset, hasPlace ? (ulong)entry.Place.Offset : BaseOf(BlockField.Offset));
            Write(ref target, BlockField.LengthBytes, hasPlace ? (ulong)entry.Place.LengthBytes : BaseOf(BlockField.LengthBytes));
            Write(ref target, BlockField.ValueCrc, hasPlace ? entry.Place.ValueCrc : BaseOf(BlockField.ValueCrc));
            start += entry.Bytes - prefixLength;
        }

        return target;
    }

    void WriteHeap(Span<byte> target)
    {
        foreach (var entry in entries)
        {
            var packed = heap.AsSpan(entry.HeapStart + prefixLength, entry.Bytes - prefixLength);
            packed.CopyTo(target);
            target = target[packed.Length..];
        }
    }

    // Eight bytes, of which what comes next overwrites those above the width: the trailer at least follows.
    void Write(ref Span<byte> target, BlockField field, ulong value)
    {
        var width = WidthOf(field);
        if (width == 0) return;
        BinaryPrimitives.WriteUInt64LittleEndian(target, value - BaseOf(field));
        target = target[width..];
    }

    void Include(BlockField field, ulong value) => ranges[(int)field].Include(value);

    ulong BaseOf(BlockField field) => field switch
    {
        BlockField.Start => AreAllAsLong ? ranges[(int)field].Base - (uint)prefixLength : 0,
        BlockField.SuffixBytes => ranges[(int)field].Base - (uint)prefixLength,
        _ => ranges[(int)field].Base,
    };

    int WidthOf(BlockField field) => field == BlockField.Start && !AreAllAsLong
        ? FieldRange.WidthOf((ulong)PackedHeapBytes)
        : ranges[(int)field].Width;

    static void Reserve(ref byte[] buffer, int needed, int kept)
    {
        if (needed <= buffer.Length) return;
        var larger = GC.AllocateUninitializedArray<byte>((int)Math.Min(Array.MaxLength, Math.Max(needed, 2L * buffer.Length)));
        buffer.AsSpan(0, kept).CopyTo(larger);
        buffer = larger;
    }

    readonly record struct Entry(int HeapStart, int Bytes, int KeyBytes, EntryKind Kind, ulong Sequence, ValuePlace Place);
}
