using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// What follows the content in a block's file, so that the inventory of a node needs nothing but the node, and a part of a block can be
/// verified without the rest.
/// </summary>
/// <remarks>
/// The checksums of the units, 4 bytes each, and then, up to the end of the file:
/// <code>
/// 0   8  "ASHLBLCK"
/// 8   4  version: 1
/// 12  4  length of the content
/// 16  32 SHA-256 of the content
/// 48  8  generation
/// 56  8  customer
/// 64  4  bytes of a unit: 65,536
/// 68  4  units
/// 72  8  when it was installed, in ms since 1970
/// 80  8  mark: drawn when it was installed, not 0
/// 88  36 zero
/// 124 4  CRC-32C of the checksums of the units and of bytes 0..124
/// </code>
/// </remarks>
static class BlockTrailer
{
    public const int FooterBytes = 128;
    const int Version = 1, ChecksumAt = 124;

    static readonly long MaxUnixMilliseconds = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    static ReadOnlySpan<byte> Magic => "ASHLBLCK"u8;

    /// <summary>Length of the trailer of a block of so many bytes.</summary>
    public static int SizeBytes(int contentBytes) => (sizeof(uint) * BlockGeometry.UnitsOf(contentBytes)) + FooterBytes;

    public static byte[] Encode(StoredBlock block)
    {
        var digest = block.Digest;
        var bytes = new byte[SizeBytes(digest.LengthBytes)];
        var footer = bytes.AsSpan(bytes.Length - FooterBytes);
        for (var unit = 0; unit < digest.UnitChecksums.Count; unit++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(unit * sizeof(uint)), digest.UnitChecksums[unit]);
        Magic.CopyTo(footer);
        BinaryPrimitives.WriteInt32LittleEndian(footer[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(footer[12..], digest.LengthBytes);
        digest.Hash.CopyTo(footer[16..]);
        BinaryPrimitives.WriteUInt64LittleEndian(footer[48..], block.Id.Name.Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(footer[56..], block.Id.Customer.Value);
        BinaryPrimitives.WriteInt32LittleEndian(footer[64..], BlockGeometry.UnitBytes);
        BinaryPrimitives.WriteInt32LittleEndian(footer[68..], digest.UnitChecksums.Count);
        BinaryPrimitives.WriteInt64LittleEndian(footer[72..], block.InstalledAt.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteUInt64LittleEndian(footer[80..], block.Mark);
        BinaryPrimitives.WriteUInt32LittleEndian(footer[ChecksumAt..], Crc32C.Compute(bytes.AsSpan(0, bytes.Length - sizeof(uint))));
        return bytes;
    }

    /// <summary>Reads it from a block's file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="block">What the name of the file says.</param>
    /// <exception cref="CorruptDataException">The file is not one of this block, whole.</exception>
    /// <exception cref="UnsupportedFormatException">It is of another version.</exception>
    public static StoredBlock Read(IFile file, CustomerBlock block)
    {
        var fileBytes = file.LengthBytes;
        if (fileBytes is < FooterBytes or > BlockGeometry.MaxLengthBytes + (1 << 20))
            throw new CorruptDataException(file.Path, fileBytes, $"no block has a file of {fileBytes} bytes");
        var tail = new byte[Math.Min(fileBytes, SizeBytes(BlockGeometry.MaxLengthBytes))];
        if (file.Read(tail, fileBytes - tail.Length) != tail.Length)
            throw new CorruptDataException(file.Path, fileBytes - tail.Length, "the file became shorter while it was read");
        var footer = tail.AsSpan(tail.Length - FooterBytes);
        var at = fileBytes - FooterBytes;
        if (!footer.StartsWith(Magic)) throw new CorruptDataException(file.Path, at, "the trailer of the block is not there");
        var length = BinaryPrimitives.ReadInt32LittleEndian(footer[12..]);
        if (length is < 1 or > BlockGeometry.MaxLengthBytes || fileBytes != (long)length + SizeBytes(length))
            throw new CorruptDataException(file.Path, at + 12, $"a block of {length} bytes has no file of {fileBytes} bytes");
        var trailer = tail.AsSpan(tail.Length - SizeBytes(length));
        var units = BlockGeometry.UnitsOf(length);
        if (BinaryPrimitives.ReadUInt32LittleEndian(footer[ChecksumAt..]) != Crc32C.Compute(trailer[..^sizeof(uint)]))
            throw new CorruptDataException(file.Path, at, "the checksum of the trailer of the block does not match");
        var version = BinaryPrimitives.ReadInt32LittleEndian(footer[8..]);
        if (version != Version)
            throw new UnsupportedFormatException(file.Path, $"a block of version {version}; this program reads version {Version}");
        if (BinaryPrimitives.ReadInt32LittleEndian(footer[64..]) != BlockGeometry.UnitBytes
            || BinaryPrimitives.ReadInt32LittleEndian(footer[68..]) != units)
            throw new CorruptDataException(file.Path, at, "the units of the block are of another length");
        var found = new CustomerBlock(
            new CustomerId(BinaryPrimitives.ReadUInt64LittleEndian(footer[56..])),
            new BlockName(
                new ContentHash(footer.Slice(16, ContentHash.SizeBytes)), BinaryPrimitives.ReadUInt64LittleEndian(footer[48..])));
        if (found != block) throw new CorruptDataException(file.Path, at + 16, $"this is the block {found}");
        var checksums = new uint[units];
        for (var unit = 0; unit < units; unit++)
            checksums[unit] = BinaryPrimitives.ReadUInt32LittleEndian(trailer[(unit * sizeof(uint))..]);
        var installedAt = BinaryPrimitives.ReadInt64LittleEndian(footer[72..]);
        return new StoredBlock(
            block,
            new BlockDigest(block.Name.Hash, length, checksums),
            DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(installedAt, 0, MaxUnixMilliseconds)),
            BinaryPrimitives.ReadUInt64LittleEndian(footer[80..]));
    }
}
