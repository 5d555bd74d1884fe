using System.Buffers.Binary;
using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Leaf of the map, format versions 1 and 2. Little-endian. A leaf without entries is not stored.
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
//
// Version 2, of leaves with kept chunks, has Flags bit 1: all 16 checksums follow, 0 for a block that holds no data. So the leaf
// does not grow when a kept chunk is written for the first time, and a full disk below the map is no reason to refuse that. A kept chunk
// of an earlier program, without that room, gets it when it is written while the disk has some.
static class LeafFormat
{
    public const byte Version = 2;
    public const int MaxBytes = HeaderBytes + (MapLayout.ChunksPerLeaf * (EntryBytes + (MapLayout.BlocksPerChunk * sizeof(uint))));

    const byte PlainVersion = 1;
    const int HeaderBytes = 2, EntryBytes = 16;
    const int SlotOffset = 0, FlagsOffset = 1, ValidOffset = 2, ChunkOffset = 4, BirthOffset = 10;
    const byte KeptFlag = 1, AllChecksumsFlag = 2;

    /// <summary>Encodes a leaf.</summary>
    /// <returns>Bytes written; 0 when the leaf has no entries and is therefore to be deleted.</returns>
    public static int Write(Span<byte> target, ReadOnlySpan<ChunkEntry> entries, ReadOnlySpan<uint> checksums)
    {
        var position = HeaderBytes;
        byte count = 0;
        var version = PlainVersion;
        for (var slot = 0; slot < entries.Length; slot++)
        {
            ref readonly var entry = ref entries[slot];
            if (entry.Chunk == 0) continue;
            var bytes = target[position..];
            bytes[SlotOffset] = (byte)slot;
            var hasRoom = entry.IsKept && !entry.LacksRoom;
            bytes[FlagsOffset] = (byte)((entry.IsKept ? KeptFlag : 0) | (hasRoom ? AllChecksumsFlag : 0));
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[ValidOffset..], entry.Valid);
            WriteNumber48(bytes[ChunkOffset..], entry.Chunk);
            WriteNumber48(bytes[BirthOffset..], entry.Birth);
            position += EntryBytes;
            if (hasRoom) version = Version;
            for (var written = (uint)Written(hasRoom, entry.Valid); written != 0; written &= written - 1)
            {
                var block = BitOperations.TrailingZeroCount(written);
                BinaryPrimitives.WriteUInt32LittleEndian(
                    target[position..], entry.IsValid(block) ? checksums[(slot * MapLayout.BlocksPerChunk) + block] : 0);
                position += sizeof(uint);
            }

            count++;
        }

        if (count == 0) return 0;
        target[0] = version;
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
        if (source[0] is not (PlainVersion or Version))
        {
            throw new UnsupportedFormatException(
                where, $"leaf format version {source[0]}; this program reads versions {PlainVersion} and {Version}");
        }

        var known = source[0] == PlainVersion ? KeptFlag : KeptFlag | AllChecksumsFlag;
        var remaining = source[HeaderBytes..];
        var previousSlot = -1;
        for (var i = 0; i < source[1]; i++)
        {
            if (remaining.Length < EntryBytes) throw Damaged("cut off within an entry");
            int slot = remaining[SlotOffset];
            if (slot <= previousSlot || slot >= MapLayout.ChunksPerLeaf) throw Damaged($"slot {slot} after slot {previousSlot}");
            var flags = remaining[FlagsOffset];
            if ((flags & ~known) != 0) throw Damaged($"unknown flags {flags:x2}");
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
                IsKept = (flags & KeptFlag) != 0,
                LacksRoom = (flags & (KeptFlag | AllChecksumsFlag)) == KeptFlag,
            };
            remaining = remaining[EntryBytes..];
            var written = Written((flags & AllChecksumsFlag) != 0, valid);
            if (remaining.Length < BitOperations.PopCount(written) * sizeof(uint)) throw Damaged("cut off within checksums");
            for (var bits = (uint)written; bits != 0; bits &= bits - 1)
            {
                var block = BitOperations.TrailingZeroCount(bits);
                var checksum = BinaryPrimitives.ReadUInt32LittleEndian(remaining);
                if (!entries[slot].IsValid(block) && checksum != 0) throw Damaged($"a checksum of block {block}, which holds no data");
                checksums[(slot * MapLayout.BlocksPerChunk) + block] = checksum;
                remaining = remaining[sizeof(uint)..];
            }

            previousSlot = slot;
        }

        if (!remaining.IsEmpty) throw Damaged($"{remaining.Length} bytes beyond its last entry");
        CorruptDataException Damaged(string problem) => new(where, leafIndex * MapLayout.LeafBytes, $"map leaf: {problem}");
    }

    // The blocks of an entry whose checksums are stored.
    static ushort Written(bool isAll, ushort valid) => isAll ? ushort.MaxValue : valid;

    static void WriteNumber48(Span<byte> target, long value)
    {
        Invariant.Require(value is >= 0 and <= MapLayout.MaxNumber48);
        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)value);
        BinaryPrimitives.WriteUInt16LittleEndian(target[4..], (ushort)(value >> 32));
    }

    static long ReadNumber48(ReadOnlySpan<byte> source) =>
        BinaryPrimitives.ReadUInt32LittleEndian(source) | ((long)BinaryPrimitives.ReadUInt16LittleEndian(source[4..]) << 32);
}
