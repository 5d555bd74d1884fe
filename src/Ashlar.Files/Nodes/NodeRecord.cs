using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>What says whose directory it is: once at its top, and once beside the blocks, which may be on a disk of their own.</summary>
/// <remarks>
/// <code>
/// 0   8  "ASHLNODE"
/// 8   4  version: 1
/// 12  4  what it lies beside: 0 = the top, 1 = the blocks
/// 16  8  the node
/// 24  8  mark: drawn when the directory was made, the same in both
/// 32  8  when that was, in ms since 1970
/// 40  84 zero
/// 124 4  CRC-32C of bytes 0..124
/// </code>
/// </remarks>
sealed record NodeRecord(NodeId Node, ulong Mark, long CreatedAt, int Place)
{
    public const int SizeBytes = 128;
    public const int AtTop = 0, AtBlocks = 1;
    const int Version = 1, ChecksumAt = 124;

    static ReadOnlySpan<byte> Magic => "ASHLNODE"u8;

    public byte[] Encode()
    {
        var bytes = new byte[SizeBytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Place);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), Node.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), Mark);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(32), CreatedAt);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumAt), Crc32C.Compute(bytes.AsSpan(0, ChecksumAt)));
        return bytes;
    }

    /// <exception cref="CorruptDataException">It is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">It is of another version.</exception>
    public static NodeRecord Read(IFileSystem files, string path, int place)
    {
        using var file = files.Open(path, FileOpenMode.ReadOnly);
        var bytes = new byte[SizeBytes];
        if (file.LengthBytes != SizeBytes || file.Read(bytes, 0) != SizeBytes)
            throw new CorruptDataException(path, 0, $"the record of a storage node has {SizeBytes} bytes, and this one {file.LengthBytes}");
        if (!bytes.AsSpan().StartsWith(Magic)) throw new CorruptDataException(path, 0, "this is no record of a storage node");
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(ChecksumAt)) != Crc32C.Compute(bytes.AsSpan(0, ChecksumAt)))
            throw new CorruptDataException(path, 0, "the checksum of the record of a storage node does not match");
        var version = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        if (version != Version)
            throw new UnsupportedFormatException(path, $"a storage node of version {version}; this program reads version {Version}");
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12)) != place)
            throw new CorruptDataException(path, 12, "the record is of another part of the directory");
        return new NodeRecord(
            new NodeId(BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(16))),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(24)),
            BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(32)),
            place);
    }
}
