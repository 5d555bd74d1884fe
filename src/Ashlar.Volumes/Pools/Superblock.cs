using System.Buffers.Binary;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Superblock of a pool's device, format versions 1 and 2. Little-endian, 4,096 bytes, two copies: at byte 0 and at byte 65,536.
// Data chunks begin at byte 131,072.
//
//   0          8         12          16        32           40          48           49      113     120             128     4092
//   +----------+---------+-----------+---------+------------+-----------+------------+-------+-------+---------------+-------+--------+
//   | Magic    | Version | ChunkSize | Pool id | ChunkCount | CreatedMs | NameLength | Name  | zeros | StoreSequence | zeros | Crc32C |
//   +----------+---------+-----------+---------+------------+-----------+------------+-------+-------+---------------+-------+--------+
//
// Magic: "ASHLPOOL". Pool id: UUID, also in the store: a device and a store belong together only if it is the same.
// ChunkCount: chunks of the device in use, the two of the superblocks included; where the store says more, the pool has grown and this
// copy has not been written since. StoreSequence: what of the store was durable when
// this copy was written; 0, as in all pools of earlier programs, says nothing. Crc32C covers bytes 0..4092.
// Version 2 is that of pools with their metadata on the device; it has PoolPlacement at byte 128.
sealed record Superblock(Guid PoolId, string Name, long ChunkCount, DateTimeOffset CreatedAt)
{
    public ulong StoreSequence { get; init; }

    /// <summary>Where the metadata are, and who has the pool; null where they are in a directory.</summary>
    public PoolPlacement? Placement { get; init; }

    public const int SizeBytes = 4096;
    public const uint Version = 1, PlacedVersion = 2;
    public const int CopyCount = 2;

    const int VersionOffset = 8, ChunkSizeOffset = 12, PoolIdOffset = 16, ChunkCountOffset = 32, CreatedOffset = 40;
    const int NameLengthOffset = 48, NameOffset = 49, MaxNameBytes = 64, NameEnd = NameOffset + MaxNameBytes;
    const int SequenceOffset = 120, PlacementOffset = 128;
    const int Crc32COffset = SizeBytes - sizeof(uint);

    static ReadOnlySpan<byte> Magic => "ASHLPOOL"u8;

    public static bool HasMagic(ReadOnlySpan<byte> source) => source.StartsWith(Magic);

    public static long CopyOffsetBytes(int copy) => (long)copy * MapLayout.ChunkBytes;

    public void Write(Span<byte> target)
    {
        target[..SizeBytes].Clear();
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[VersionOffset..], Placement is null ? Version : PlacedVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(target[ChunkSizeOffset..], MapLayout.ChunkBytes);
        PoolId.TryWriteBytes(target[PoolIdOffset..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(target[ChunkCountOffset..], ChunkCount);
        BinaryPrimitives.WriteInt64LittleEndian(target[CreatedOffset..], CreatedAt.ToUnixTimeMilliseconds());
        target[NameLengthOffset] = (byte)Encoding.ASCII.GetBytes(Name, target[NameOffset..NameEnd]);
        BinaryPrimitives.WriteUInt64LittleEndian(target[SequenceOffset..], StoreSequence);
        Placement?.Write(target[PlacementOffset..Crc32COffset]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[Crc32COffset..], Crc32C.Compute(target[..Crc32COffset]));
    }

    /// <summary>Reads one copy.</summary>
    /// <exception cref="UnsupportedFormatException">Not a pool, or a version that this program cannot read.</exception>
    /// <exception cref="CorruptDataException">A pool's superblock that is damaged.</exception>
    public static Superblock Read(ReadOnlySpan<byte> source, string device, long offsetBytes)
    {
        if (!HasMagic(source)) throw new UnsupportedFormatException(device, "not the device of a pool");
        var expected = BinaryPrimitives.ReadUInt32LittleEndian(source[Crc32COffset..]);
        var actual = Crc32C.Compute(source[..Crc32COffset]);
        if (expected != actual)
            throw new CorruptDataException(
                device, offsetBytes, $"superblock: checksum mismatch: expected {expected:x8}, found {actual:x8}");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[VersionOffset..]);
        if (version is not (Version or PlacedVersion))
            throw new UnsupportedFormatException(
                device, $"pool format version {version}; this program reads versions {Version} and {PlacedVersion}");
        var chunkBytes = BinaryPrimitives.ReadUInt32LittleEndian(source[ChunkSizeOffset..]);
        var chunkCount = BinaryPrimitives.ReadInt64LittleEndian(source[ChunkCountOffset..]);
        int nameLength = source[NameLengthOffset];
        if (chunkBytes != MapLayout.ChunkBytes
            || nameLength > MaxNameBytes
            || chunkCount is <= MapLayout.ReservedChunks or > MapLayout.MaxNumber48)
            throw new CorruptDataException(device, offsetBytes, $"superblock: {chunkCount} chunks of {chunkBytes} bytes");
        return new Superblock(
            new Guid(source.Slice(PoolIdOffset, 16), bigEndian: true),
            Encoding.ASCII.GetString(source.Slice(NameOffset, nameLength)),
            chunkCount,
            DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(source[CreatedOffset..])))
        {
            StoreSequence = BinaryPrimitives.ReadUInt64LittleEndian(source[SequenceOffset..]),
            Placement = version == PlacedVersion
                ? PoolPlacement.Read(source[PlacementOffset..Crc32COffset], chunkCount)
                    ?? throw new CorruptDataException(device, offsetBytes, "superblock: the metadata cannot be where it says")
                : null,
        };
    }
}
