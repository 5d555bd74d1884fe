using System.Buffers.Binary;
using Ashlar.KeyValue.Blocks;
using Ashlar.Storage;

namespace Ashlar.KeyValue.SortedTable;

// Last 128 bytes of a table, format versions 1 and 2. Little-endian.
//   0       8         12    16        32        40     56           64            72            80           88     128
//   +-------+---------+-----+---------+---------+------+------------+-------------+-------------+------------+------+
//   | Magic | Version | Crc | StoreId | TableId | Root | EntryCount | MinSequence | MaxSequence | FileLength | Zero |
//   +-------+---------+-----+---------+---------+------+------------+-------------+-------------+------------+------+
// Crc covers bytes 0..12 and 16..128. Root is the handle of the top index block.
readonly record struct TableFooter(
    Guid StoreId, ulong TableId, BlockHandle Root, long EntryCount, ulong MinSequence, ulong MaxSequence,
    long FileLength)
{
    public const int SizeBytes = 128;

    /// <summary>Indexes name blocks by their last entries.</summary>
    public const uint FirstVersion = 1;

    /// <summary>Indexes name blocks by what separates them from the next (<see cref="Separator"/>).</summary>
    public const uint SeparatorVersion = 2;

    const ulong Magic = 0x4C4254524C485341; // "ASHLRTBL"

    public uint Version { get; init; } = SeparatorVersion;

    /// <summary>Start value of the checksums of all blocks: a block of another table or store does not validate.</summary>
    public static uint Seed(Guid storeId, ulong tableId)
    {
        Span<byte> bytes = stackalloc byte[24];
        storeId.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], tableId);
        return Crc32C.Compute(bytes);
    }

    /// <summary>Writes the footer and returns its checksum, which the manifest repeats.</summary>
    public uint Write(Span<byte> target)
    {
        target[..SizeBytes].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(target, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], Version);
        StoreId.TryWriteBytes(target[16..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(target[32..], TableId);
        Root.Write(target[40..]);
        BinaryPrimitives.WriteInt64LittleEndian(target[56..], EntryCount);
        BinaryPrimitives.WriteUInt64LittleEndian(target[64..], MinSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(target[72..], MaxSequence);
        BinaryPrimitives.WriteInt64LittleEndian(target[80..], FileLength);
        var crc = Checksum(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], crc);
        return crc;
    }

    /// <summary>Whether the bytes are a footer of any version.</summary>
    public static bool IsSound(ReadOnlySpan<byte> source) => source.Length >= SizeBytes
        && BinaryPrimitives.ReadUInt64LittleEndian(source) == Magic
        && BinaryPrimitives.ReadUInt32LittleEndian(source[12..]) == Checksum(source);

    public static Guid ReadStoreId(ReadOnlySpan<byte> source) => new(source.Slice(16, 16), bigEndian: true);

    /// <summary>Reads a footer.</summary>
    /// <exception cref="CorruptDataException">The footer is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">
    /// The footer is sound but of a version that this program cannot read.
    /// </exception>
    public static TableFooter Read(ReadOnlySpan<byte> source, string path, long offset, out uint crc)
    {
        if (!IsSound(source)) throw new CorruptDataException(path, offset, "the footer of the table does not hold");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (version is < FirstVersion or > SeparatorVersion)
            throw new UnsupportedFormatException(
                path, $"table format version {version}; this program reads versions {FirstVersion} to {SeparatorVersion}");
        crc = BinaryPrimitives.ReadUInt32LittleEndian(source[12..]);
        return new(
            ReadStoreId(source),
            BinaryPrimitives.ReadUInt64LittleEndian(source[32..]),
            BlockHandle.Read(source[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[56..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[64..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[72..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[80..]))
        {
            Version = version,
        };
    }

    static uint Checksum(ReadOnlySpan<byte> bytes) => Crc32C.Append(Crc32C.Compute(bytes[..12]), bytes[16..SizeBytes]);
}
