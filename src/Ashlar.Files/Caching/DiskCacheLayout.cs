using System.Buffers.Binary;
using System.IO.Hashing;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// The file of a <see cref="DiskCache"/>: a header of 4,096 bytes, and slots, each a head of 4,096 bytes and a piece
/// (docs/formats/file-cache.md). Integers are little-endian.
/// </summary>
/// <remarks>
/// <code>
/// 0   8  "ASHLCACH"         0   8  "ASHLSLOT"
/// 8   4  version: 2         8   8  customer
/// 12  4  bytes of a piece   16  32 SHA-256 of the block
/// 16  8  slots              48  8  generation
/// 24  8  mark               56  4  length of the block
/// 4092 4 CRC-32C            60  4  which piece
///                           64  8  mark of the header
///                           72  8  XXH3 of the piece, with the mark as its seed
///                           80  4  CRC-32C of bytes 0..80
/// </code>
/// </remarks>
static class DiskCacheLayout
{
    /// <summary>Bytes of the head of a slot that say something.</summary>
    public const int HeadBytes = 84;

    /// <summary>Longest piece.</summary>
    public const int PieceBytes = BufferPool.DefaultBufferBytes;

    const int HeaderBytes = 4096, SlotBytes = HeaderBytes + PieceBytes;
    const int Version = 2, HeaderChecksumAt = HeaderBytes - sizeof(uint), HeadChecksumAt = 80;

    /// <summary>
    /// Tells a piece from any other that lay in its slot before: power may have been lost between a head and its content. A CRC would not
    /// do, for it is the same for all content that ends with its own CRC, and whoever stores a file can give it any CRC.
    /// </summary>
    public static ulong HashOf(ReadOnlySpan<byte> content, ulong mark) => XxHash3.HashToUInt64(content, unchecked((long)mark));

    /// <summary>What the file begins with.</summary>
    public static ReadOnlySpan<byte> Magic => "ASHLCACH"u8;

    static ReadOnlySpan<byte> SlotMagic => "ASHLSLOT"u8;

    /// <summary>Slots of a cache of so many bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no room for a piece, or for more than can be counted.</exception>
    public static int SlotsIn(long boundBytes)
    {
        var slotCount = (boundBytes - HeaderBytes) / SlotBytes;
        ArgumentOutOfRangeException.ThrowIfLessThan(slotCount, 1, nameof(boundBytes));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(slotCount, int.MaxValue / 2, nameof(boundBytes));
        return (int)slotCount;
    }

    /// <summary>Slots that a file of so many bytes has, the last perhaps in part.</summary>
    public static long SlotsBegunIn(long lengthBytes) => (lengthBytes - HeaderBytes + SlotBytes - 1) / SlotBytes;

    /// <summary>Where the head of a slot is.</summary>
    public static long HeadOf(int slot) => HeaderBytes + ((long)slot * SlotBytes);

    /// <summary>Where the piece of a slot is.</summary>
    public static long ContentOf(int slot) => HeadOf(slot) + HeaderBytes;

    /// <summary>The header.</summary>
    /// <param name="slotCount">Slots.</param>
    /// <param name="mark">Tells heads of this cache from those that an earlier one left.</param>
    public static byte[] Header(int slotCount, ulong mark)
    {
        var header = new byte[HeaderBytes];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), PieceBytes);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), slotCount);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(24), mark);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(HeaderChecksumAt), Crc32C.Compute(header.AsSpan(0, HeaderChecksumAt)));
        return header;
    }

    /// <summary>Reads the header of a file.</summary>
    /// <exception cref="CorruptDataException">It is none, or damaged.</exception>
    /// <exception cref="UnsupportedFormatException">It is of another version.</exception>
    public static (int SlotCount, ulong Mark) ReadHeader(IFile file)
    {
        var header = new byte[HeaderBytes];
        var isWhole = file.Read(header, 0) == HeaderBytes && header.AsSpan().StartsWith(Magic);
        var checksum = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(HeaderChecksumAt));
        if (!isWhole || checksum != Crc32C.Compute(header.AsSpan(0, HeaderChecksumAt)))
            throw new CorruptDataException(file.Path, 0, "this is no cache of files, or its header is damaged");
        var version = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8));
        if (version != Version || BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12)) != PieceBytes)
            throw new UnsupportedFormatException(file.Path, $"a cache of version {version}; this program reads version {Version}");
        var slotCount = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(16));
        if (slotCount is < 1 or > int.MaxValue / 2) throw new CorruptDataException(file.Path, 16, $"a cache of {slotCount} slots");
        return ((int)slotCount, BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(24)));
    }

    /// <summary>The head of a slot.</summary>
    public static byte[] Head(BlockPiece piece, ulong hash, ulong mark)
    {
        var head = new byte[HeadBytes];
        SlotMagic.CopyTo(head);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(8), piece.Customer.Value);
        piece.Block.Name.Hash.CopyTo(head.AsSpan(16));
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(48), piece.Block.Name.Generation);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(56), piece.Block.LengthBytes);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(60), piece.Index);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(64), mark);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(72), hash);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(HeadChecksumAt), Crc32C.Compute(head.AsSpan(0, HeadChecksumAt)));
        return head;
    }

    /// <summary>What the head of a slot tells of; null where it is none, is damaged, or is of an earlier cache.</summary>
    public static (BlockPiece Piece, ulong Hash)? ReadHead(ReadOnlySpan<byte> head, ulong mark)
    {
        if (!head.StartsWith(SlotMagic)
            || BinaryPrimitives.ReadUInt32LittleEndian(head[HeadChecksumAt..]) != Crc32C.Compute(head[..HeadChecksumAt])
            || BinaryPrimitives.ReadUInt64LittleEndian(head[64..]) != mark)
            return null;
        var hash = new ContentHash(head.Slice(16, ContentHash.SizeBytes));
        var block = new FileBlock(
            new BlockName(hash, BinaryPrimitives.ReadUInt64LittleEndian(head[48..])), BinaryPrimitives.ReadInt32LittleEndian(head[56..]));
        var customer = new CustomerId(BinaryPrimitives.ReadUInt64LittleEndian(head[8..]));
        var piece = new BlockPiece(customer, block, BinaryPrimitives.ReadInt32LittleEndian(head[60..]));
        if (block.LengthBytes is < 1 or > BlockGeometry.MaxLengthBytes || piece.Index < 0 || piece.Index >= BlockPiece.CountOf(block))
            return null;
        return (piece, BinaryPrimitives.ReadUInt64LittleEndian(head[72..]));
    }
}
