using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Log;

// Head of a log segment, format version 1. Little-endian. Groups follow from byte 64 on.
//   0         8         12    16        32          40      48              56     64
//   +---------+---------+-----+---------+-----------+-------+---------------+------+
//   | Magic   | Version | Crc | StoreId | SegmentId | Nonce | ReservedBytes | Zero |   Crc covers bytes 0..12 and 16..64.
//   +---------+---------+-----+---------+-----------+-------+---------------+------+
// ReservedBytes: how long the file was before its first group, durably; 0 if that is not known: moved values, earlier programs.
readonly record struct LogSegmentHeader(Guid StoreId, ulong SegmentId, ulong Nonce, long ReservedBytes = 0)
{
    public const int SizeBytes = 64;
    public const uint Version = 1;
    const ulong Magic = 0x474F4C524C485341; // "ASHLRLOG"

    /// <summary>
    /// Start value of every checksum in the segment: bytes of another segment, another store, or a copy of log bytes that a
    /// user stored as a value do not validate.
    /// </summary>
    public uint Seed
    {
        get
        {
            Span<byte> bytes = stackalloc byte[32];
            StoreId.TryWriteBytes(bytes, bigEndian: true, out _);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], SegmentId);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], Nonce);
            return Crc32C.Compute(bytes);
        }
    }

    public void Write(Span<byte> target)
    {
        target[..SizeBytes].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(target, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], Version);
        StoreId.TryWriteBytes(target[16..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(target[32..], SegmentId);
        BinaryPrimitives.WriteUInt64LittleEndian(target[40..], Nonce);
        BinaryPrimitives.WriteInt64LittleEndian(target[48..], ReservedBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], Checksum(target));
    }

    /// <summary>Reads the head of a segment.</summary>
    /// <exception cref="CorruptDataException">The head is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">
    /// The head is sound but of a version that this program cannot read.
    /// </exception>
    public static LogSegmentHeader Read(ReadOnlySpan<byte> source, string path)
    {
        if (!IsSound(source)) throw new CorruptDataException(path, 0, "the head of the log segment does not hold");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (version != Version)
            throw new UnsupportedFormatException(
                path, $"log format version {version}; this program reads version {Version}");
        return new(
            new Guid(source.Slice(16, 16), bigEndian: true),
            BinaryPrimitives.ReadUInt64LittleEndian(source[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[48..]));
    }

    /// <summary>Reads the head of a segment that the manifest lists, and checks that it is that one.</summary>
    /// <exception cref="CorruptDataException">It is damaged, or another one.</exception>
    /// <exception cref="UnsupportedFormatException">It is of a version that this program cannot read.</exception>
    public static LogSegmentHeader ReadListed(IFile file, ulong id, ulong nonce, Guid storeId)
    {
        Span<byte> bytes = stackalloc byte[SizeBytes];
        if (file.Read(bytes, 0) != bytes.Length)
            throw new CorruptDataException(file.Path, 0, "the log segment is shorter than its head");
        var header = Read(bytes, file.Path);
        if (header.StoreId != storeId)
            throw new CorruptDataException(file.Path, 0, $"the log belongs to store {header.StoreId}, not to {storeId}");
        if (header.SegmentId != id || header.Nonce != nonce)
            throw new CorruptDataException(file.Path, 0, "the log segment is not the one that the manifest lists");
        return header;
    }

    public static bool IsSound(ReadOnlySpan<byte> source) => source.Length >= SizeBytes
        && BinaryPrimitives.ReadUInt64LittleEndian(source) == Magic
        && BinaryPrimitives.ReadUInt32LittleEndian(source[12..]) == Checksum(source);

    static uint Checksum(ReadOnlySpan<byte> bytes) => Crc32C.Append(Crc32C.Compute(bytes[..12]), bytes[16..SizeBytes]);
}
