using System.Buffers.Binary;
using System.Runtime.CompilerServices;
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
readonly unsafe struct Block(BlockMemory* memory)
{
    public const int EntryHeaderBytes = 16;
    public const int TrailerBytes = 8;
    public const byte PlainEncoding = 0;

    public BlockMemory* Memory => memory;

    public bool IsNone => memory == null;

    public int Count => memory->Count;

    /// <summary>The block as it is on disk, with its trailer.</summary>
    public ReadOnlySpan<byte> Bytes => new(Start, memory->SizeBytes);

    byte* Start => (byte*)memory + BlockMemory.HeaderBytes;

    uint* Fragments => (uint*)((byte*)memory + memory->FragmentsStart);

    public static uint Checksum(uint tableSeed, long offset, ReadOnlySpan<byte> bytes)
    {
        Span<byte> place = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(place, offset);
        return Crc32C.Append(Crc32C.Append(tableSeed, place), bytes);
    }

    /// <summary>
    /// Checks a block that was read from disk, all that later reads rely on, once: the checksum against trailer and handle,
    /// then that every entry lies within the block. Returns the memory that <see cref="Fill"/> needs.
    /// </summary>
    public static int Check(ReadOnlySpan<byte> bytes, in BlockHandle handle, uint tableSeed, string path)
    {
        CheckTrailer(bytes, handle, tableSeed, path);
        var handleOffset = handle.Offset;
        var end = bytes.Length - TrailerBytes;
        if (end < 4) throw Damaged("a block without entries");
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[(end - 4)..]);
        if (count <= 0 || count > (end - 4) / (EntryHeaderBytes + 4)) throw Damaged($"a block cannot hold {count} entries");
        var offsetsStart = end - 4 - (4 * count);
        var expected = 0L;
        for (var index = 0; index < count; index++)
        {
            var offset = BinaryPrimitives.ReadInt32LittleEndian(bytes[(offsetsStart + (4 * index))..]);
            if (offset != expected || offset + EntryHeaderBytes > offsetsStart)
                throw Damaged($"entry {index} lies outside its block");
            var keyLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(offset + 2)..]);
            var valueLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[(offset + 4)..]);
            expected = offset + EntryHeaderBytes + keyLength + (long)valueLength;
            if (valueLength < 0 || expected > offsetsStart) throw Damaged($"entry {index} does not fit its block");
            var kind = (EntryKind)bytes[offset];
            if (valueLength < kind.LeastStoredBytes()) throw Damaged($"entry {index} of kind {kind} is too short");
        }

        if (expected != offsetsStart) throw Damaged("bytes of a block belong to no entry");
        return BlockMemory.Needed(bytes.Length, count);

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

    /// <summary>Copies a block that was checked into memory of the size that <see cref="Check"/> returned.</summary>
    public void Fill(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.Length - TrailerBytes;
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[(end - 4)..]);
        FillRaw(bytes);
        memory->Count = count;
        memory->OffsetsStart = end - 4 - (4 * count);
        memory->PrefixLength = KeyAt(0).CommonPrefixLength(KeyAt(count - 1));
        for (var index = 0; index < count; index++) Fragments[index] = FragmentOf(KeyAt(index), memory->PrefixLength);
    }

    /// <summary>Copies bytes that are no entries: a filter.</summary>
    public void FillRaw(ReadOnlySpan<byte> bytes)
    {
        memory->SizeBytes = bytes.Length;
        memory->Count = 0;
        memory->FragmentsStart = BlockMemory.HeaderBytes + ((bytes.Length + 3) & ~3);
        bytes.CopyTo(new Span<byte>(Start, bytes.Length));
    }

    public ReadOnlySpan<byte> KeyAt(int index)
    {
        var entry = EntryAt(index);
        return new(entry + EntryHeaderBytes, KeyLength(entry));
    }

    public ulong SequenceAt(int index) => Unsafe.ReadUnaligned<ulong>(EntryAt(index) + 8);

    public EntryKind KindAt(int index) => (EntryKind)(*EntryAt(index));

    public ReadOnlySpan<byte> ValueAt(int index)
    {
        var entry = EntryAt(index);
        return new(entry + EntryHeaderBytes + KeyLength(entry), Unsafe.ReadUnaligned<int>(entry + 4));
    }

    /// <summary>Index of the first entry at or after (key, sequence); <see cref="Count"/> if there is none.</summary>
    /// <remarks>
    /// Keys of a block begin alike. The four bytes behind what all share are kept side by side: they alone decide for
    /// nearly all keys, and a search touches a few cache lines instead of one for every entry that it looks at.
    /// </remarks>
    public int Find(ReadOnlySpan<byte> key, ulong sequence)
    {
        var count = memory->Count;
        var prefixLength = memory->PrefixLength;
        if (prefixLength > 0)
        {
            var prefix = KeyAt(0)[..prefixLength];
            var order = key.Length >= prefixLength
                ? key[..prefixLength].SequenceCompareTo(prefix)
                : key.SequenceCompareTo(prefix);
            if (order != 0) return order < 0 ? 0 : count;
        }

        var fragments = Fragments;
        var wanted = FragmentOf(key, prefixLength);
        var low = 0;
        for (var left = count; left > 1;)
        {
            var half = left >>> 1;
            low += fragments[low + half - 1] < wanted ? half : 0;
            left -= half;
        }

        low += fragments[low] < wanted ? 1 : 0;
        if (low == count || fragments[low] != wanted) return low;
        var high = low + 1;
        while (high < count && fragments[high] == wanted) high++;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (EntryOrder.Compare(KeyAt(middle), SequenceAt(middle), key, sequence) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    // Keys that end early count as filled with zeros: never out of order, and what is equal then is compared in full.
    static uint FragmentOf(ReadOnlySpan<byte> key, int start)
    {
        if (key.Length - start >= sizeof(uint)) return BinaryPrimitives.ReadUInt32BigEndian(key[start..]);
        var fragment = 0U;
        for (var at = start; at < start + sizeof(uint); at++) fragment = (fragment << 8) | (at < key.Length ? key[at] : 0U);
        return fragment;
    }

    static int KeyLength(byte* entry) => Unsafe.ReadUnaligned<ushort>(entry + 2);

    byte* EntryAt(int index) => Start + Unsafe.ReadUnaligned<int>(Start + memory->OffsetsStart + (sizeof(int) * index));
}
