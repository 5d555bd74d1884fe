using System.Buffers.Binary;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Life of a snapshot.</summary>
enum SnapshotState : byte
{
    /// <summary>Being taken: if a crash comes now, it never was, and what is kept for it goes.</summary>
    Creating = 1,

    Ready = 2,

    /// <summary>Deleted for everyone; what is kept for it goes, unless clones need it.</summary>
    Deleting = 3,
}

// Snapshot record in the store, format version 1. Little-endian. The key holds the lineage of the volume and the generation.
//
//   0         4       5          8      24       32           36           44
//   +---------+-------+----------+------+--------+------------+------------+------+
//   | Version | State | Zero (3) | Id   | Size   | BlockSize  | CreatedMs  | Name |
//   +---------+-------+----------+------+--------+------------+------------+------+
//
// Size: of the volume at that time. Name: ASCII, up to the end of the value.
sealed record SnapshotRecord(
    long Lineage,
    long Generation,
    Guid Id,
    string Name,
    SnapshotState State,
    long SizeBytes,
    int BlockSizeBytes,
    DateTimeOffset CreatedAt)
{
    const uint Version = 1;
    const int StateOffset = 4, IdOffset = 8, SizeOffset = 24, BlockSizeOffset = 32, CreatedOffset = 36, NameOffset = 44;

    public byte[] ToBytes()
    {
        var target = new byte[NameOffset + Name.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(target, Version);
        target[StateOffset] = (byte)State;
        Id.TryWriteBytes(target.AsSpan(IdOffset), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(SizeOffset), SizeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(target.AsSpan(BlockSizeOffset), BlockSizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(CreatedOffset), CreatedAt.ToUnixTimeMilliseconds());
        Encoding.ASCII.GetBytes(Name, target.AsSpan(NameOffset));
        return target;
    }

    public static SnapshotRecord Read(ReadOnlySpan<byte> key, ReadOnlySpan<byte> source, string where)
    {
        if (key.Length != MapKeys.SnapshotBytes || source.Length < sizeof(uint))
            throw new CorruptDataException(where, 0, "snapshot record: shorter than its version");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) is not Version and var version)
            throw new UnsupportedFormatException(where, $"snapshot record version {version}; this program reads version {Version}");
        if (source.Length <= NameOffset || source[StateOffset] is < (byte)SnapshotState.Creating or > (byte)SnapshotState.Deleting)
            throw new CorruptDataException(where, 0, $"snapshot record: {source.Length} bytes");
        var (lineage, generation) = MapKeys.ReadMarker(key);
        var record = new SnapshotRecord(
            lineage,
            generation,
            new Guid(source.Slice(IdOffset, 16), bigEndian: true),
            Encoding.ASCII.GetString(source[NameOffset..]),
            (SnapshotState)source[StateOffset],
            BinaryPrimitives.ReadInt64LittleEndian(source[SizeOffset..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[BlockSizeOffset..]),
            DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(source[CreatedOffset..])));
        if (record.BlockSizeBytes is not (512 or 4096) || record.SizeBytes < 0 || record.SizeBytes % record.BlockSizeBytes != 0
            || lineage <= 0 || generation <= 0)
            throw new CorruptDataException(where, 0, $"snapshot record: {record.SizeBytes} bytes in blocks of {record.BlockSizeBytes}");
        return record;
    }
}
