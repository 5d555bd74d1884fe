using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

// Block of a table, format version 1. Little-endian. Data blocks hold entries, index blocks entries whose value is a handle.
//   +---------+---------+-----+---------------------+-------+----------+------+-----+
//   | Entry 0 | Entry 1 | ... | Offset of entry [n] | Count | Encoding | Zero | Crc |
//   +---------+---------+-----+---------------------+-------+----------+------+-----+
//                               4 bytes each          4       1          3      4
// Entry:
//   0      1      2           4             8          16
//   +------+------+-----------+-------------+----------+-------+---------+
//   | Kind | Zero | KeyLength | ValueLength | Sequence | Key.. | Value.. |
//   +------+------+-----------+-------------+----------+-------+---------+
// Crc covers everything before it and starts from the table's seed and the block's offset. Encoding 0 is the one above.
sealed class Block
{
    public const int EntryHeaderBytes = 16;
    public const int TrailerBytes = 8;
    public const byte PlainEncoding = 0;

    readonly byte[] bytes;
    readonly int offsetsStart;

    Block(byte[] bytes, int offsetsStart, int count)
    {
        this.bytes = bytes;
        this.offsetsStart = offsetsStart;
        Count = count;
    }

    public int Count { get; }

    public int SizeBytes => bytes.Length;

    public static uint Checksum(uint tableSeed, long offset, ReadOnlySpan<byte> bytes)
    {
        Span<byte> place = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(place, offset);
        return Crc32C.Append(Crc32C.Append(tableSeed, place), bytes);
    }

    /// <summary>
    /// Takes a block that was read from disk. Everything that later reads rely on is checked here, once: checksum against
    /// trailer and handle, and that every entry lies within the block.
    /// </summary>
    public static Block Load(byte[] bytes, in BlockHandle handle, uint tableSeed, string path)
    {
        CheckTrailer(bytes, handle, tableSeed, path);
        var handleOffset = handle.Offset;
        var end = bytes.Length - TrailerBytes;
        if (end < 4) throw Damaged("a block without entries");
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(end - 4));
        if (count <= 0 || count > (end - 4) / (EntryHeaderBytes + 4)) throw Damaged($"a block cannot hold {count} entries");
        var offsetsStart = end - 4 - (4 * count);
        var expected = 0L;
        for (var index = 0; index < count; index++)
        {
            var offset = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offsetsStart + (4 * index)));
            if (offset != expected || offset + EntryHeaderBytes > offsetsStart)
                throw Damaged($"entry {index} lies outside its block");
            var keyLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(offset + 2));
            var valueLength = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offset + 4));
            expected = offset + EntryHeaderBytes + keyLength + (long)valueLength;
            if (valueLength < 0 || expected > offsetsStart) throw Damaged($"entry {index} does not fit its block");
            if (bytes[offset] == (byte)EntryKind.ExpiringPut && valueLength < Expiry.SizeBytes)
                throw Damaged($"entry {index} expires, but does not say when");
        }

        if (expected != offsetsStart) throw Damaged("bytes of a block belong to no entry");
        return new Block(bytes, offsetsStart, count);

        CorruptDataException Damaged(string problem) => new(path, handleOffset, problem);
    }

    public static void CheckTrailer(ReadOnlySpan<byte> bytes, in BlockHandle handle, uint tableSeed, string path)
    {
        var stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]);
        var actual = Checksum(tableSeed, handle.Offset, bytes[..^4]);
        if (stored != actual || handle.Crc != actual)
            throw new CorruptDataException(
                path, handle.Offset, $"checksum mismatch: expected {handle.Crc:x8}, block says {stored:x8}, found {actual:x8}");
        if (bytes[^TrailerBytes] != PlainEncoding)
            throw new UnsupportedFormatException(
                path,
                $"block encoding {bytes[^TrailerBytes]} at byte {handle.Offset}; this program reads encoding {PlainEncoding}");
    }

    public ReadOnlySpan<byte> KeyAt(int index)
    {
        var offset = OffsetAt(index);
        return bytes.AsSpan(offset + EntryHeaderBytes, KeyLengthAt(offset));
    }

    public ulong SequenceAt(int index) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(OffsetAt(index) + 8));

    public EntryKind KindAt(int index) => (EntryKind)bytes[OffsetAt(index)];

    public ReadOnlySpan<byte> ValueAt(int index)
    {
        var offset = OffsetAt(index);
        var valueLength = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offset + 4));
        return bytes.AsSpan(offset + EntryHeaderBytes + KeyLengthAt(offset), valueLength);
    }

    public BlockHandle HandleAt(int index) => BlockHandle.Read(ValueAt(index));

    /// <summary>Index of the first entry at or after (key, sequence); <see cref="Count"/> if there is none.</summary>
    public int Find(ReadOnlySpan<byte> key, ulong sequence)
    {
        var low = 0;
        var high = Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (EntryOrder.Compare(KeyAt(middle), SequenceAt(middle), key, sequence) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    int OffsetAt(int index) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offsetsStart + (4 * index)));

    int KeyLengthAt(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(offset + 2));
}
