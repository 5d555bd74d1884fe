using System.Buffers.Binary;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Blocks;

/// <summary>A block of a table in memory, as it is on disk (see <see cref="BlockLayout"/>): entries are read where they lie.</summary>
readonly unsafe struct Block(BlockMemory* memory)
{
    public const int TrailerBytes = BlockLayout.TrailerBytes;
    public const byte PackedEncoding = 1;

    public BlockMemory* Memory => memory;

    public bool IsNone => memory == null;

    public int Count => memory->Layout.Count;

    /// <summary>The block as it is on disk, with its trailer.</summary>
    public ReadOnlySpan<byte> Bytes => new(Start, memory->SizeBytes);

    /// <summary>What all keys begin with.</summary>
    public ReadOnlySpan<byte> Prefix => new(Start + BlockLayout.HeaderBytes, memory->Layout.PrefixLength);

    byte* Start => (byte*)memory + BlockMemory.HeaderBytes;

    uint* Fragments => (uint*)((byte*)memory + memory->FragmentsStart);

    public static uint Checksum(uint tableSeed, long offset, ReadOnlySpan<byte> bytes)
    {
        Span<byte> place = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(place, offset);
        return Crc32C.Append(Crc32C.Append(tableSeed, place), bytes);
    }

    /// <summary>Copies a block that was checked into memory of the size that <see cref="BlockCheck.Require"/> returned.</summary>
    public void Fill(ReadOnlySpan<byte> bytes)
    {
        FillRaw(bytes);
        Invariant.Require(BlockLayout.TryRead(bytes, out memory->Layout));
        for (var index = 0; index < Count; index++) Fragments[index] = FragmentOf(SuffixAt(index));
    }

    /// <summary>Copies bytes that are no entries: a filter, a value.</summary>
    public void FillRaw(ReadOnlySpan<byte> bytes)
    {
        memory->SizeBytes = bytes.Length;
        memory->FragmentsStart = BlockMemory.HeaderBytes + ((bytes.Length + 3) & ~3);
        bytes.CopyTo(new Span<byte>(Start, bytes.Length));
    }

    /// <summary>How many entries are the newest of their keys, as far as this block shows.</summary>
    public int CountNewest()
    {
        var newest = 1;
        for (var index = 1; index < Count; index++)
        {
            if (!SuffixAt(index).SequenceEqual(SuffixAt(index - 1))) newest++;
        }

        return newest;
    }

    public ulong SequenceAt(int index) => Read(BlockField.Sequence, index);

    public EntryKind KindAt(int index) => (EntryKind)Read(BlockField.Kind, index);

    /// <summary>A key without the <see cref="Prefix"/>.</summary>
    public ReadOnlySpan<byte> SuffixAt(int index) => new(HeapAt(index), SuffixBytes(index));

    public bool IsKeyAt(int index, ReadOnlySpan<byte> key) =>
        key.StartsWith(Prefix) && key[memory->Layout.PrefixLength..].SequenceEqual(SuffixAt(index));

    public byte[] KeyAt(int index) => [.. Prefix, .. SuffixAt(index)];

    /// <summary>What an entry stores, but for its place: a value, behind an expiry if it has one.</summary>
    public ReadOnlySpan<byte> InlineAt(int index)
    {
        var suffixBytes = SuffixBytes(index);
        var bytes = memory->Layout.StartOf(Start, index + 1) - memory->Layout.StartOf(Start, index);
        return new(HeapAt(index) + suffixBytes, (int)bytes - suffixBytes);
    }

    /// <summary>Where the value of an entry lies whose kind has a place.</summary>
    public ValuePlace PlaceAt(int index) => new ValuePlace(
        Read(BlockField.SegmentId, index),
        (long)Read(BlockField.Offset, index),
        (int)Read(BlockField.LengthBytes, index),
        (uint)Read(BlockField.ValueCrc, index)).Behind(InlineAt(index));

    /// <summary>What an entry stores, as logs and memtables have it; with a place, it is put together in the caller's memory.</summary>
    /// <param name="index">The entry.</param>
    /// <param name="scratch">At least <see cref="ValuePlace.MaxStoredBytes"/>.</param>
    public ReadOnlySpan<byte> StoredAt(int index, Span<byte> scratch)
    {
        var inline = InlineAt(index);
        if (!KindAt(index).HasPlace()) return inline;
        inline.CopyTo(scratch);
        PlaceAt(index).Write(scratch[inline.Length..]);
        return scratch[..(inline.Length + ValuePlace.EncodedBytes)];
    }

    /// <summary>Where the bytes of an entry lie in the block; for inspection.</summary>
    public int OffsetOf(int index) => (int)(HeapAt(index) - Start);

    /// <summary>Index of the first entry at or after (key, sequence); <see cref="Count"/> if there is none.</summary>
    /// <remarks>
    /// The four bytes of each key behind the prefix are kept side by side: they alone decide for nearly all keys, and a
    /// search touches a few cache lines instead of one for every entry that it looks at.
    /// </remarks>
    public int Find(ReadOnlySpan<byte> key, ulong sequence)
    {
        var count = Count;
        var prefix = Prefix;
        if (!key.StartsWith(prefix)) return key.SequenceCompareTo(prefix) < 0 ? 0 : count;
        var suffix = key[prefix.Length..];
        var fragments = Fragments;
        var wanted = FragmentOf(suffix);
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
            if (EntryOrder.Compare(SuffixAt(middle), SequenceAt(middle), suffix, sequence) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    // Keys that end early count as filled with zeros: never out of order, and what is equal then is compared in full.
    static uint FragmentOf(ReadOnlySpan<byte> suffix)
    {
        if (suffix.Length >= sizeof(uint)) return BinaryPrimitives.ReadUInt32BigEndian(suffix);
        var fragment = 0U;
        for (var at = 0; at < sizeof(uint); at++) fragment = (fragment << 8) | (at < suffix.Length ? suffix[at] : 0U);
        return fragment;
    }

    ulong Read(BlockField field, int index) => memory->Layout.Read(Start, field, index);

    int SuffixBytes(int index) => (int)Read(BlockField.SuffixBytes, index);

    byte* HeapAt(int index) => Start + memory->Layout.HeapStart + memory->Layout.StartOf(Start, index);
}
