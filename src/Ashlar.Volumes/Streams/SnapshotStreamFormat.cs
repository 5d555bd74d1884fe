using System.Buffers.Binary;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Stream of a snapshot, format version 1. Little-endian. A header, records in ascending order, an end.
//
//   header
//   0       8         12       16         32           48         64          72     80          84       86        88
//   +-------+---------+--------+----------+------------+----------+-----------+------+-----------+--------+---------+------+--------+-----+
//   | Magic | Version | Length | VolumeId | SnapshotId | ParentId | CreatedMs | Size | BlockSize | Name   | Parent  | Name | Parent | CRC |
//   |       | (4)     | (4)    | (16)     | (16)       | (16)     | (8)       | (8)  | (4)       | length | length  |      | name   | (4) |
//   +-------+---------+--------+----------+------------+----------+-----------+------+-----------+--------+---------+------+--------+-----+
//
//   record, 32 bytes, followed by its data
//   0      4         8        16       24         28
//   +------+---------+--------+--------+----------+---------+
//   | Kind | DataCrc | Offset | Length | Zero (4) | HeadCrc |
//   +------+---------+--------+--------+----------+---------+
//
// Length of the header: with its CRC-32C, which is of all before. ParentId: zeros when the stream holds all. Kind: 1 data, 2 zeros, 3 end.
// DataCrc: CRC-32C of the data, 0 where there is none. HeadCrc: CRC-32C of the record's first 28 bytes. Of the end Offset is the sum of
// all lengths of data, Length the number of records before; the SHA-256 of all before it follows, and then nothing.
static class SnapshotStreamFormat
{
    public const int FixedHeaderBytes = 88, HeadBytes = 32, DigestBytes = 32, MaxDataBytes = 1 << 20;
    public const int MaxHeaderBytes = FixedHeaderBytes + (2 * VolumeName.MaxLength) + sizeof(uint);
    public const uint Data = 1, Zeros = 2, End = 3;

    const uint Version = 1;
    const int VersionOffset = 8, LengthOffset = 12, VolumeOffset = 16, SnapshotOffset = 32, ParentOffset = 48, CreatedOffset = 64;
    const int SizeOffset = 72, BlockSizeOffset = 80, NameLengthOffset = 84, ParentLengthOffset = 86;
    const int DataCrcOffset = 4, PlaceOffset = 8, RangeOffset = 16, HeadCrcOffset = 28;

    static ReadOnlySpan<byte> Magic => "ASHLARSS"u8;

    public static byte[] ToBytes(SnapshotStreamHeader header)
    {
        var target = new byte[FixedHeaderBytes + header.Name.Length + header.ParentName.Length + sizeof(uint)];
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target.AsSpan(VersionOffset), Version);
        BinaryPrimitives.WriteInt32LittleEndian(target.AsSpan(LengthOffset), target.Length);
        header.VolumeId.TryWriteBytes(target.AsSpan(VolumeOffset), bigEndian: true, out _);
        header.SnapshotId.TryWriteBytes(target.AsSpan(SnapshotOffset), bigEndian: true, out _);
        (header.ParentId ?? Guid.Empty).TryWriteBytes(target.AsSpan(ParentOffset), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(CreatedOffset), header.CreatedAt.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(SizeOffset), header.SizeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(target.AsSpan(BlockSizeOffset), header.BlockSizeBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(target.AsSpan(NameLengthOffset), (ushort)header.Name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(target.AsSpan(ParentLengthOffset), (ushort)header.ParentName.Length);
        Encoding.ASCII.GetBytes(header.Name, target.AsSpan(FixedHeaderBytes));
        Encoding.ASCII.GetBytes(header.ParentName, target.AsSpan(FixedHeaderBytes + header.Name.Length));
        var end = target.Length - sizeof(uint);
        BinaryPrimitives.WriteUInt32LittleEndian(target.AsSpan(end), Crc32C.Compute(target.AsSpan(0, end)));
        return target;
    }

    /// <summary>Length of a header, of its first bytes; before any of it is trusted to be whole.</summary>
    public static int LengthOfHeader(ReadOnlySpan<byte> start)
    {
        RequireMagic(start);
        if (BinaryPrimitives.ReadUInt32LittleEndian(start[VersionOffset..]) is not Version and var version)
            throw Problem(SnapshotStreamProblem.UnsupportedVersion, $"version {version}; this program reads version {Version}");
        var length = BinaryPrimitives.ReadInt32LittleEndian(start[LengthOffset..]);
        return length is >= FixedHeaderBytes + sizeof(uint) and <= MaxHeaderBytes ? length : throw Altered($"a header of {length} bytes");
    }

    /// <summary>What there is of the beginning must be that of a stream.</summary>
    public static void RequireMagic(ReadOnlySpan<byte> start)
    {
        if (!Magic.StartsWith(start[..Math.Min(start.Length, Magic.Length)]))
            throw Problem(SnapshotStreamProblem.NotAStream, "it does not begin as one does");
    }

    public static SnapshotStreamHeader ReadHeader(ReadOnlySpan<byte> source)
    {
        var end = source.Length - sizeof(uint);
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[end..]) != Crc32C.Compute(source[..end])) throw Altered("its header");
        var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(source[NameLengthOffset..]);
        var parentLength = BinaryPrimitives.ReadUInt16LittleEndian(source[ParentLengthOffset..]);
        if (FixedHeaderBytes + nameLength + parentLength != end) throw Altered($"names of {nameLength} and {parentLength} bytes");
        var parent = new Guid(source.Slice(ParentOffset, 16), bigEndian: true);
        var created = BinaryPrimitives.ReadInt64LittleEndian(source[CreatedOffset..]);
        if (created < 0 || created > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) throw Altered($"taken at {created}");
        var header = new SnapshotStreamHeader(
            new Guid(source.Slice(VolumeOffset, 16), bigEndian: true),
            new Guid(source.Slice(SnapshotOffset, 16), bigEndian: true),
            parent == Guid.Empty ? null : parent,
            Encoding.ASCII.GetString(source.Slice(FixedHeaderBytes, nameLength)),
            Encoding.ASCII.GetString(source.Slice(FixedHeaderBytes + nameLength, parentLength)),
            DateTimeOffset.FromUnixTimeMilliseconds(created),
            BinaryPrimitives.ReadInt64LittleEndian(source[SizeOffset..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[BlockSizeOffset..]));
        if (!VolumeName.IsValid(header.Name) || (parentLength > 0 && !VolumeName.IsValid(header.ParentName))) throw Altered("its names");
        if (header.BlockSizeBytes is not (512 or 4096) || header.SizeBytes < header.BlockSizeBytes
            || header.SizeBytes % header.BlockSizeBytes != 0)
            throw Altered($"{header.SizeBytes} bytes in blocks of {header.BlockSizeBytes}");
        return header;
    }

    public static void WriteHead(Span<byte> target, uint kind, uint dataCrc, long offset, long length)
    {
        target[..HeadBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(target, kind);
        BinaryPrimitives.WriteUInt32LittleEndian(target[DataCrcOffset..], dataCrc);
        BinaryPrimitives.WriteInt64LittleEndian(target[PlaceOffset..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(target[RangeOffset..], length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[HeadCrcOffset..], Crc32C.Compute(target[..HeadCrcOffset]));
    }

    public static (uint Kind, uint DataCrc, long Offset, long Length) ReadHead(ReadOnlySpan<byte> source)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[HeadCrcOffset..]) != Crc32C.Compute(source[..HeadCrcOffset]))
            throw Altered("the head of a record");
        return (
            BinaryPrimitives.ReadUInt32LittleEndian(source),
            BinaryPrimitives.ReadUInt32LittleEndian(source[DataCrcOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[PlaceOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[RangeOffset..]));
    }

    public static SnapshotStreamException Altered(string what) => Problem(SnapshotStreamProblem.Altered, $"it was altered: {what}");

    public static SnapshotStreamException Problem(SnapshotStreamProblem problem, string detail) => new(problem, detail);
}
