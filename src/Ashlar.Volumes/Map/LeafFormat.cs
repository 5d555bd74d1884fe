using System.Buffers.Binary;
using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Leaf of the map, format versions 1 to 3. Little-endian. A leaf without entries is not stored, unless an older one is there.
//
//   Versions 1 and 2, of generation 1, all of whose blocks are at home
//   0         1         2
//   +---------+---------+---------------------------------------+
//   | Version | Count   | Count entries, slots ascending        |
//   +---------+---------+---------------------------------------+
//
//   Version 3
//   0         1       2      4                10          16
//   +---------+-------+------+----------------+-----------+---------------+------------------------------+
//   | Version | Count | Runs | Generation (6) | Older (6) | Count entries | Runs runs, blocks ascending  |
//   +---------+-------+------+----------------+-----------+---------------+------------------------------+
//
//   Entry of a chunk that has a home
//   0      1       2       4            10           16
//   +------+-------+-------+------------+------------+----------------------------+
//   | Slot | Flags | Valid | Chunk (6)  | Birth (6)  | Checksum (4) per valid bit |
//   +------+-------+-------+------------+------------+----------------------------+
//
//   Run of blocks that are not at home, one after the other
//   0       1       2           9            15
//   +-------+-------+-----------+------------+----------------------+
//   | First | Count | Place (7) | Birth (6)  | Checksum (4) per block |
//   +-------+-------+-----------+------------+----------------------+
//
// Slot 0..15 within the leaf; Flags bit 0: kept allocated; Valid: bit i = block i holds data at home; Chunk: place on the device
// in 64 KiB; Birth: generation of the place; checksums of the valid blocks in ascending order (BlockChecksum). First 0..255 within the
// leaf, Count less one; Place: on the device in 4 KiB. Generation, Older: LeafVersion.
//
// From version 2 on, of leaves with kept chunks, Flags bit 1: all 16 checksums follow, 0 for a block that holds no data. So the leaf
// does not grow when a kept chunk is written for the first time, and a full disk below the map is no reason to refuse that. A kept chunk
// of an earlier program, without that room, gets it when it is written while the disk has some.
static class LeafFormat
{
    public const byte Version = 3;
    public const int MaxBytes = VersionedHeaderBytes
        + (MapLayout.ChunksPerLeaf * EntryBytes)
        + (MapLayout.BlocksPerLeaf * (RunBytes + (2 * sizeof(uint)))); // Kept homes have room for checksums beside those of runs.

    const byte PlainVersion = 1, RoomVersion = 2;
    const int HeaderBytes = 2, VersionedHeaderBytes = 16, EntryBytes = 16, RunBytes = 15;
    const int RunsOffset = 2, GenerationOffset = 4, OlderOffset = 10;
    const int SlotOffset = 0, FlagsOffset = 1, ValidOffset = 2, ChunkOffset = 4, BirthOffset = 10;
    const int RunCountOffset = 1, PlaceOffset = 2, RunBirthOffset = 9;
    const byte KeptFlag = 1, AllChecksumsFlag = 2;

    /// <summary>Encodes a leaf that has entries, or an older version.</summary>
    /// <returns>Bytes written; 0 when the leaf has neither and is therefore to be deleted.</returns>
    public static int Write(Span<byte> target, LeafMap map, LeafVersion version)
    {
        var isVersioned = version != LeafVersion.First || map.HasRedirected;
        var position = isVersioned ? VersionedHeaderBytes : HeaderBytes;
        byte count = 0;
        var written = PlainVersion;
        ushort runs = 0;
        for (var slot = 0; slot < map.Entries.Length; slot++)
        {
            ref readonly var entry = ref map.Entries[slot];
            if (entry.Chunk == 0) continue;
            if (entry.IsKept && !entry.LacksRoom) written = RoomVersion;
            position += WriteEntry(target[position..], slot, entry, map.Checksums);
            count++;
        }

        for (var block = 0; block < MapLayout.BlocksPerLeaf;)
        {
            if (map.Redirected is null) break;
            if (!map.IsRedirected(block))
            {
                block++;
                continue;
            }

            var end = RunEnd(map, block);
            position += WriteRun(target[position..], map, block, end);
            block = end;
            runs++;
        }

        if (count == 0 && runs == 0 && version.Older == 0) return 0;
        target[0] = isVersioned ? Version : written;
        target[1] = count;
        if (!isVersioned) return position;
        BinaryPrimitives.WriteUInt16LittleEndian(target[RunsOffset..], runs);
        WriteNumber48(target[GenerationOffset..], version.Generation);
        WriteNumber48(target[OlderOffset..], version.Older);
        return position;
    }

    /// <summary>Encodes a leaf that nothing is mapped of and that hides an older one, or that of a parent.</summary>
    /// <returns>Bytes written.</returns>
    public static int WriteEmpty(Span<byte> target, LeafVersion version)
    {
        target[..VersionedHeaderBytes].Clear();
        target[0] = Version;
        WriteNumber48(target[GenerationOffset..], version.Generation);
        WriteNumber48(target[OlderOffset..], version.Older);
        return VersionedHeaderBytes;
    }

    /// <summary>Decodes a leaf into an empty map.</summary>
    /// <exception cref="CorruptDataException">The bytes are not a leaf.</exception>
    public static LeafVersion Read(ReadOnlySpan<byte> source, LeafMap map, long chunkCount, string where, long leafIndex)
    {
        if (source.Length < HeaderBytes) throw Damaged(where, leafIndex, "shorter than its header");
        if (source[0] is not (PlainVersion or RoomVersion or Version))
        {
            throw new UnsupportedFormatException(
                where, $"leaf format version {source[0]}; this program reads versions {PlainVersion} to {Version}");
        }

        var (version, runs) = (LeafVersion.First, 0);
        var remaining = source[HeaderBytes..];
        if (source[0] == Version)
        {
            if (source.Length < VersionedHeaderBytes) throw Damaged(where, leafIndex, "shorter than its header");
            runs = BinaryPrimitives.ReadUInt16LittleEndian(source[RunsOffset..]);
            version = new(ReadNumber48(source[GenerationOffset..]), ReadNumber48(source[OlderOffset..]));
            if (version.Generation == 0 || version.Older >= version.Generation)
                throw Damaged(where, leafIndex, $"of generation {version.Generation}, after {version.Older}");
            remaining = source[VersionedHeaderBytes..];
        }

        var known = source[0] == PlainVersion ? KeptFlag : KeptFlag | AllChecksumsFlag;
        var previousSlot = -1;
        for (var i = 0; i < source[1]; i++) ReadEntry(ref remaining, ref previousSlot, known, map, chunkCount, where, leafIndex);
        var nextBlock = 0;
        for (var i = 0; i < runs; i++) ReadRun(ref remaining, ref nextBlock, map, chunkCount, where, leafIndex);
        if (!remaining.IsEmpty) throw Damaged(where, leafIndex, $"{remaining.Length} bytes beyond its last entry");
        return version;
    }

    /// <summary>Of which time an encoded leaf is.</summary>
    /// <exception cref="CorruptDataException">The bytes are not a leaf.</exception>
    public static LeafVersion ReadVersion(ReadOnlySpan<byte> source, string where, long leafIndex)
    {
        if (source.Length < HeaderBytes || (source[0] == Version && source.Length < VersionedHeaderBytes))
            throw Damaged(where, leafIndex, "shorter than its header");
        return source[0] == Version
            ? new(ReadNumber48(source[GenerationOffset..]), ReadNumber48(source[OlderOffset..]))
            : LeafVersion.First;
    }

    /// <summary>Whether an encoded leaf maps nothing.</summary>
    public static bool IsEmpty(ReadOnlySpan<byte> source) =>
        source.Length == VersionedHeaderBytes && source[0] == Version && source[1] == 0 && source[RunsOffset] == 0;

    static int WriteEntry(Span<byte> bytes, int slot, ChunkEntry entry, uint[] checksums)
    {
        bytes[SlotOffset] = (byte)slot;
        var hasRoom = entry.IsKept && !entry.LacksRoom;
        bytes[FlagsOffset] = (byte)((entry.IsKept ? KeptFlag : 0) | (hasRoom ? AllChecksumsFlag : 0));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[ValidOffset..], entry.AtHome);
        WriteNumber48(bytes[ChunkOffset..], entry.Chunk);
        WriteNumber48(bytes[BirthOffset..], entry.Birth);
        var position = EntryBytes;
        for (var stored = (uint)Stored(hasRoom, entry.AtHome); stored != 0; stored &= stored - 1)
        {
            var block = BitOperations.TrailingZeroCount(stored);
            BinaryPrimitives.WriteUInt32LittleEndian(
                bytes[position..], (entry.AtHome >> block & 1) != 0 ? checksums[(slot * MapLayout.BlocksPerChunk) + block] : 0);
            position += sizeof(uint);
        }

        return position;
    }

    static int WriteRun(Span<byte> bytes, LeafMap map, int first, int end)
    {
        bytes[0] = (byte)first;
        bytes[RunCountOffset] = (byte)(end - first - 1);
        var place = map.Redirected!.PlaceOf(first);
        WriteNumber48(bytes[PlaceOffset..], place & MapLayout.MaxNumber48);
        bytes[PlaceOffset + 6] = (byte)(place >> 48);
        WriteNumber48(bytes[RunBirthOffset..], map.Redirected.BirthOf(first));
        var position = RunBytes;
        for (var block = first; block < end; block++, position += sizeof(uint))
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[position..], map.Checksums[block]);
        return position;
    }

    static int RunEnd(LeafMap map, int first)
    {
        var redirected = map.Redirected!;
        var end = first + 1;
        while (end < MapLayout.BlocksPerLeaf
            && map.IsRedirected(end)
            && redirected.PlaceOf(end) == redirected.PlaceOf(end - 1) + 1
            && redirected.BirthOf(end) == redirected.BirthOf(first)) end++;
        return end;
    }

    static void ReadEntry(
        ref ReadOnlySpan<byte> remaining, ref int previousSlot, int known, LeafMap map, long chunkCount, string where, long leafIndex)
    {
        if (remaining.Length < EntryBytes) throw Damaged(where, leafIndex, "cut off within an entry");
        int slot = remaining[SlotOffset];
        if (slot <= previousSlot || slot >= MapLayout.ChunksPerLeaf)
            throw Damaged(where, leafIndex, $"slot {slot} after slot {previousSlot}");
        var flags = remaining[FlagsOffset];
        if ((flags & ~known) != 0) throw Damaged(where, leafIndex, $"unknown flags {flags:x2}");
        var valid = BinaryPrimitives.ReadUInt16LittleEndian(remaining[ValidOffset..]);
        var chunk = ReadNumber48(remaining[ChunkOffset..]);
        if (chunk < MapLayout.ReservedChunks || chunk >= chunkCount) throw Damaged(where, leafIndex, $"chunk {chunk} of {chunkCount}");
        map.Entries[slot] = new ChunkEntry
        {
            Chunk = chunk,
            Birth = ReadNumber48(remaining[BirthOffset..]),
            Valid = valid,
            CommittedValid = valid,
            CapturedValid = valid,
            IsKept = (flags & KeptFlag) != 0,
            LacksRoom = (flags & (KeptFlag | AllChecksumsFlag)) == KeptFlag,
        };
        remaining = remaining[EntryBytes..];
        var stored = Stored((flags & AllChecksumsFlag) != 0, valid);
        if (remaining.Length < BitOperations.PopCount(stored) * sizeof(uint)) throw Damaged(where, leafIndex, "cut off within checksums");
        for (var bits = (uint)stored; bits != 0; bits &= bits - 1)
        {
            var block = BitOperations.TrailingZeroCount(bits);
            var checksum = BinaryPrimitives.ReadUInt32LittleEndian(remaining);
            if ((valid >> block & 1) == 0 && checksum != 0)
                throw Damaged(where, leafIndex, $"a checksum of block {block}, which holds no data");
            map.Checksums[(slot * MapLayout.BlocksPerChunk) + block] = checksum;
            remaining = remaining[sizeof(uint)..];
        }

        previousSlot = slot;
    }

    static void ReadRun(
        ref ReadOnlySpan<byte> remaining, ref int nextBlock, LeafMap map, long chunkCount, string where, long leafIndex)
    {
        if (remaining.Length < RunBytes) throw Damaged(where, leafIndex, "cut off within a run");
        var (first, count) = (remaining[0], remaining[RunCountOffset] + 1);
        if (first < nextBlock || first + count > MapLayout.BlocksPerLeaf)
            throw Damaged(where, leafIndex, $"a run of {count} blocks at {first}, after one that ends at {nextBlock}");
        var place = ReadNumber48(remaining[PlaceOffset..]) | ((long)remaining[PlaceOffset + 6] << 48);
        var birth = ReadNumber48(remaining[RunBirthOffset..]);
        if (place < MapLayout.ReservedChunks * MapLayout.BlocksPerChunk || place + count > chunkCount * MapLayout.BlocksPerChunk)
            throw Damaged(where, leafIndex, $"a run of {count} blocks at block {place} of {chunkCount} chunks");
        remaining = remaining[RunBytes..];
        if (remaining.Length < count * sizeof(uint)) throw Damaged(where, leafIndex, "cut off within checksums");
        var redirected = map.EnsureRedirected();
        for (var i = 0; i < count; i++, remaining = remaining[sizeof(uint)..])
        {
            var block = first + i;
            ref var entry = ref map.Entries[block / MapLayout.BlocksPerChunk];
            var bit = (ushort)(1 << (block % MapLayout.BlocksPerChunk));
            if ((entry.Valid & bit) != 0) throw Damaged(where, leafIndex, $"two places of block {block}");
            redirected.Set(block, place + i, birth);
            entry.Valid |= bit;
            entry.Redirected |= bit;
            entry.CommittedValid |= bit;
            entry.CapturedValid |= bit;
            map.Checksums[block] = BinaryPrimitives.ReadUInt32LittleEndian(remaining);
        }

        nextBlock = first + count;
    }

    static CorruptDataException Damaged(string where, long leafIndex, string problem) =>
        new(where, leafIndex * MapLayout.LeafBytes, $"map leaf: {problem}");

    // The blocks of an entry whose checksums are stored.
    static ushort Stored(bool isAll, ushort valid) => isAll ? ushort.MaxValue : valid;

    static void WriteNumber48(Span<byte> target, long value)
    {
        Invariant.Require(value is >= 0 and <= MapLayout.MaxNumber48);
        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)value);
        BinaryPrimitives.WriteUInt16LittleEndian(target[4..], (ushort)(value >> 32));
    }

    static long ReadNumber48(ReadOnlySpan<byte> source) =>
        BinaryPrimitives.ReadUInt32LittleEndian(source) | ((long)BinaryPrimitives.ReadUInt16LittleEndian(source[4..]) << 32);
}
