using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>What a record of the log of recent writes says.</summary>
enum RecentKind : byte
{
    None = 0,

    /// <summary>Blocks of a leaf are about to lie somewhere.</summary>
    Write,

    /// <summary>Blocks of a leaf read as zeros.</summary>
    Zeros,

    /// <summary>The store has a leaf as it was after some record.</summary>
    Covered,

    /// <summary>A write did not take place.</summary>
    Void,
}

[Flags]
enum RecentFlags : byte
{
    None = 0,

    /// <summary>All of the write is there, or nothing.</summary>
    Atomic = 1,

    /// <summary>The zeros keep their space.</summary>
    Keep = 2,
}

[Flags]
enum RecentRunFlags : byte
{
    None = 0,

    /// <summary>The blocks lie at the home of their chunk.</summary>
    Home = 1,

    /// <summary>They were overwritten under a marker, in the place that a leaf gives them which is being written to the store.</summary>
    Marked = 2,
}

// Log of recent writes, format version 1. Little-endian. Segments of some MiB, each with a header; behind it records, each right behind the
// one before, their sequences without a gap, across segments too. What does not continue that is what the segment was used for before.
//
//   Header                                            Record
//   0       8         12      16      32      48      64        0      4        6      7       8          16        24     32
//   +-------+---------+-------+-------+-------+-------+         +------+--------+------+-------+----------+---------+------+------+
//   | Magic | Version | Crc   | Pool  | Boot  | Life  | First   | Crc  | Length | Kind | Flags | Sequence | Lineage | Leaf | Body |
//   |       |         |       | (16)  | (16)  | (16)  | (8)     |      | (2)    |      |       | (8)      | (8)     | (8)  |      |
//   +-------+---------+-------+-------+-------+-------+         +------+--------+------+-------+----------+---------+------+------+
//
//   Body of Write:    runs: First block (1) | Count less one (1) | RunFlags (1) | 0 | Place (8) | Birth (8) | Checksum (4) per block
//   Body of Zeros:    First block (2) | Count (2)
//   Body of Covered:  Through (8) | MarkedThrough (8)
//   Body of Void:     Sequence of the write (8)
//
// Crc of the header: of all other bytes of it; of a record: of what follows up to its length. Life: what the store says of who has the pool
// open. First: sequence of the first record. Place: on the device in 4 KiB; checksums as in the map (BlockChecksum).
static class RecentWriteFormat
{
    public const int HeaderBytes = 72, RecordHeaderBytes = 32, RunBytes = 20;
    public const int MaxRecordBytes = RecordHeaderBytes + (MapLayout.BlocksPerLeaf * (RunBytes + sizeof(uint)));

    const uint Version = 1;
    const int VersionOffset = 8, HeaderCrcOffset = 12, PoolOffset = 16, BootOffset = 32, LifeOffset = 48, FirstOffset = 64;
    const int LengthOffset = 4, KindOffset = 6, FlagsOffset = 7, SequenceOffset = 8, LineageOffset = 16, LeafOffset = 24;

    static ReadOnlySpan<byte> Magic => "ASHLRECW"u8;

    public static void WriteHeader(Span<byte> target, RecentWritesIdentity identity, ulong first)
    {
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[VersionOffset..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(target[HeaderCrcOffset..], 0);
        identity.Pool.TryWriteBytes(target[PoolOffset..]);
        identity.Boot.TryWriteBytes(target[BootOffset..]);
        identity.Life.TryWriteBytes(target[LifeOffset..]);
        BinaryPrimitives.WriteUInt64LittleEndian(target[FirstOffset..], first);
        BinaryPrimitives.WriteUInt32LittleEndian(target[HeaderCrcOffset..], Crc32C.Compute(target[..HeaderBytes]));
    }

    /// <summary>Whether a segment begins as one of this pool, this start of the machine and this life.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> source, RecentWritesIdentity identity, out ulong first)
    {
        first = 0;
        if (source.Length < HeaderBytes) return false;
        Span<byte> expected = stackalloc byte[HeaderBytes];
        first = BinaryPrimitives.ReadUInt64LittleEndian(source[FirstOffset..]);
        WriteHeader(expected, identity, first);
        return source[..HeaderBytes].SequenceEqual(expected);
    }

    /// <summary>Begins a record; its body goes behind <see cref="RecordHeaderBytes"/>.</summary>
    public static void BeginRecord(Span<byte> target, RecentKind kind, RecentFlags flags, long lineage, long leafIndex)
    {
        target[KindOffset] = (byte)kind;
        target[FlagsOffset] = (byte)flags;
        BinaryPrimitives.WriteInt64LittleEndian(target[LineageOffset..], lineage);
        BinaryPrimitives.WriteInt64LittleEndian(target[LeafOffset..], leafIndex);
    }

    /// <summary>Gives a record that is complete its sequence.</summary>
    public static void EndRecord(Span<byte> record, ulong sequence)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(record[LengthOffset..], checked((ushort)record.Length));
        BinaryPrimitives.WriteUInt64LittleEndian(record[SequenceOffset..], sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(record, Crc32C.Compute(record[sizeof(uint)..]));
    }

    /// <returns>Bytes written.</returns>
    public static int WriteRun(
        Span<byte> target, int firstBlock, RecentRunFlags flags, long place, long birth, ReadOnlySpan<uint> checksums)
    {
        target[0] = (byte)firstBlock;
        target[1] = (byte)(checksums.Length - 1);
        target[2] = (byte)flags;
        target[3] = 0;
        BinaryPrimitives.WriteInt64LittleEndian(target[4..], place);
        BinaryPrimitives.WriteInt64LittleEndian(target[12..], birth);
        for (var i = 0; i < checksums.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(target[(RunBytes + (i * sizeof(uint)))..], checksums[i]);
        return RunBytes + (checksums.Length * sizeof(uint));
    }

    /// <summary>Reads the record at the front of what is left of a segment; false where there is none that continues the log.</summary>
    public static bool TryReadRecord(ReadOnlySpan<byte> source, ulong sequence, out RecentRecord record)
    {
        record = default;
        if (source.Length < RecordHeaderBytes) return false;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(source[LengthOffset..]);
        if (length < RecordHeaderBytes || length > Math.Min(source.Length, MaxRecordBytes)) return false;
        if (BinaryPrimitives.ReadUInt64LittleEndian(source[SequenceOffset..]) != sequence) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) != Crc32C.Compute(source[sizeof(uint)..length])) return false;
        record = new RecentRecord(
            length,
            (RecentKind)source[KindOffset],
            (RecentFlags)source[FlagsOffset],
            sequence,
            BinaryPrimitives.ReadInt64LittleEndian(source[LineageOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[LeafOffset..]));
        return true;
    }

    /// <summary>The runs of a write; false if the bytes are none.</summary>
    public static bool TryReadRuns(ReadOnlySpan<byte> record, List<RecentRun> runs)
    {
        runs.Clear();
        for (var rest = record[RecordHeaderBytes..]; !rest.IsEmpty;)
        {
            if (rest.Length < RunBytes) return false;
            var (first, count) = (rest[0], rest[1] + 1);
            if (first + count > MapLayout.BlocksPerLeaf || rest.Length < RunBytes + (count * sizeof(uint))) return false;
            var checksums = new uint[count];
            for (var i = 0; i < count; i++)
                checksums[i] = BinaryPrimitives.ReadUInt32LittleEndian(rest[(RunBytes + (i * sizeof(uint)))..]);
            runs.Add(new RecentRun(
                first,
                (RecentRunFlags)rest[2],
                BinaryPrimitives.ReadInt64LittleEndian(rest[4..]),
                BinaryPrimitives.ReadInt64LittleEndian(rest[12..]),
                checksums));
            rest = rest[(RunBytes + (count * sizeof(uint)))..];
        }

        return true;
    }
}

/// <summary>Which log it is: of a pool, of one start of the machine, and of one life of the pool.</summary>
readonly record struct RecentWritesIdentity(Guid Pool, Guid Boot, Guid Life);

/// <summary>A record without its body.</summary>
readonly record struct RecentRecord(
    int LengthBytes, RecentKind Kind, RecentFlags Flags, ulong Sequence, long Lineage, long LeafIndex);

/// <summary>Blocks of a write that lie one after the other.</summary>
sealed record RecentRun(int FirstBlock, RecentRunFlags Flags, long Place, long Birth, uint[] Checksums)
{
    public bool IsHome => (Flags & RecentRunFlags.Home) != RecentRunFlags.None;

    public bool IsMarked => (Flags & RecentRunFlags.Marked) != RecentRunFlags.None;
}

/// <summary>What of a leaf the store has: all through a record, and of what was marked all through another one.</summary>
readonly record struct CoveredLeaf(long Lineage, long LeafIndex, ulong Through, ulong MarkedThrough);
