using System.Buffers.Binary;
using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Leaf of the map, format version 1. Little-endian. A leaf without entries is not stored.
//
//   0         1         2
//   +---------+---------+---------------------------------------+
//   | Version | Count   | Count entries, slots ascending        |
//   +---------+---------+---------------------------------------+
//
//   Entry of a mapped chunk
//   0      1       2       4            10           16
//   +------+-------+-------+------------+------------+--------------------------+
//   | Slot | Flags | Valid | Chunk (6)  | Birth (6)  | Crc32C (4) per valid bit |
//   +------+-------+-------+------------+------------+--------------------------+
//
// Slot 0..15 within the leaf; Flags bit 0: kept allocated; Valid: bit i = block i holds data; Chunk: place on the device
// in 64 KiB; Birth: generation of the place; checksums of the valid blocks in ascending order (BlockChecksum).
static class LeafFormat
{
    public const byte Version = 1;
    public const int MaxBytes = HeaderBytes + (MapLayout.ChunksPerLeaf * (EntryBytes + (MapLayout.BlocksPerChunk * sizeof(uint))));

    const int HeaderBytes = 2, EntryBytes = 16;
    const int SlotOffset = 0, FlagsOffset = 1, ValidOffset = 2, ChunkOffset = 4, BirthOffset = 10;
    const byte KeptFlag = 1;

    /// <summary>Encodes a leaf.</summary>
    /// <returns>Bytes written; 0 when the leaf has no entries and is therefore to be deleted.</returns>
    public static int Write(Span<byte> target, ReadOnlySpan<ChunkEntry> entries, ReadOnlySpan<uint> checksums)
    {
        var position = HeaderBytes;
        byte count = 0;
        for (var slot = 0; slot < entries.Length; slot++)
        {
            ref readonly var entry = ref entries[slot];
            if (entry.Chunk == 0) continue;
            var bytes = target[position..];
            bytes[SlotOffset] = (byte)slot;
            bytes[FlagsOffset] = entry.IsKept ? KeptFlag : (byte)0;
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[ValidOffset..], entry.Valid);
            WriteNumber48(bytes[ChunkOffset..], entry.Chunk);
            WriteNumber48(bytes[BirthOffset..], entry.Birth);
            position += EntryBytes;
            for (var valid = (uint)entry.Valid; valid != 0; valid &= valid - 1)
            {
                var block = (slot * MapLayout.BlocksPerChunk) + BitOperations.TrailingZeroCount(valid);
                BinaryPrimitives.WriteUInt32LittleEndian(target[position..], checksums[block]);
                position += sizeof(uint);
            }

            count++;
        }

        if (count == 0) return 0;
        target[0] = Version;
        target[1] = count;
        return position;
    }

    /// <summary>Decodes a leaf into empty arrays.</summary>
    /// <exception cref="CorruptDataException">The bytes are not a leaf.</exception>
    public static void Read(
        ReadOnlySpan<byte> source,
        Span<ChunkEntry> entries,
        Span<uint> checksums,
        long chunkCount,
        string where,
        long leafIndex)
    {
        if (source.Length < HeaderBytes) throw Damaged("shorter than its header");
        if (source[0] != Version)
            throw new UnsupportedFormatException(where, $"leaf format version {source[0]}; this program reads version {Version}");
        var remaining = source[HeaderBytes..];
        var previousSlot = -1;
        for (var i = 0; i < source[1]; i++)
        {
            if (remaining.Length < EntryBytes) throw Damaged("cut off within an entry");
            int slot = remaining[SlotOffset];
            if (slot <= previousSlot || slot >= MapLayout.ChunksPerLeaf) throw Damaged($"slot {slot} after slot {previousSlot}");
            if ((remaining[FlagsOffset] & ~KeptFlag) != 0) throw Damaged($"unknown flags {remaining[FlagsOffset]:x2}");
            var valid = BinaryPrimitives.ReadUInt16LittleEndian(remaining[ValidOffset..]);
            var chunk = ReadNumber48(remaining[ChunkOffset..]);
            if (chunk < MapLayout.ReservedChunks || chunk >= chunkCount) throw Damaged($"chunk {chunk} of {chunkCount}");
            entries[slot] = new ChunkEntry
            {
                Chunk = chunk,
                Birth = ReadNumber48(remaining[BirthOffset..]),
                Valid = valid,
                CommittedValid = valid,
                CapturedValid = valid,
                CapturedChunk = chunk,
                IsKept = (remaining[FlagsOffset] & KeptFlag) != 0,
            };
            remaining = remaining[EntryBytes..];
            if (remaining.Length < BitOperations.PopCount(valid) * sizeof(uint)) throw Damaged("cut off within checksums");
            for (var bits = (uint)valid; bits != 0; bits &= bits - 1)
            {
                var block = (slot * MapLayout.BlocksPerChunk) + BitOperations.TrailingZeroCount(bits);
                checksums[block] = BinaryPrimitives.ReadUInt32LittleEndian(remaining);
                remaining = remaining[sizeof(uint)..];
            }

            previousSlot = slot;
        }

        if (!remaining.IsEmpty) throw Damaged($"{remaining.Length} bytes beyond its last entry");
        CorruptDataException Damaged(string problem) => new(where, leafIndex * MapLayout.LeafBytes, $"map leaf: {problem}");
    }

    static void WriteNumber48(Span<byte> target, long value)
    {
        Invariant.Require(value is >= 0 and <= MapLayout.MaxNumber48);
        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)value);
        BinaryPrimitives.WriteUInt16LittleEndian(target[4..], (ushort)(value >> 32));
    }

    static long ReadNumber48(ReadOnlySpan<byte> source) =>
        BinaryPrimitives.ReadUInt32LittleEndian(source) | ((long)BinaryPrimitives.ReadUInt16LittleEndian(source[4..]) << 32);
}
