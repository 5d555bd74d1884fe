using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

// A device file, format version 1. Little-endian, except the id. Everything before the data is sectors of 512 bytes,
// and each sector has a CRC-32C of its own that covers the whole sector but the checksum itself: no byte goes
// unchecked.
//
//     0          512         1024                                     DataOffset          end
//     +----------+-----------+-----------------------+----------------+-------------------+
//     | header   | counters  | state pages           | zeros, to 4096 | blocks            |
//     +----------+-----------+-----------------------+----------------+-------------------+
//
// Header. Magic, version and checksum keep their places in every version.
//     0         8          12       16      32             36      40            48            56    512
//     +---------+----------+--------+-------+--------------+-------+-------------+-------------+-----+
//     | Magic   | Version  | Crc32C | Id    | BlockSize    | zero  | BlockCount  | DataOffset  | zero|
//     | 8 bytes | u32      | u32    | UUID  | u32          | u32   | u64         | u64         |     |
//     +---------+----------+--------+-------+--------------+-------+-------------+-------------+-----+
//
// Counters, of the whole life of the device up to the last flush that changed a state, or the last close.
//     0        4      8       16       24      32        40         48          56             64     512
//     +--------+------+-------+--------+-------+---------+----------+-----------+--------------+------+
//     | Crc32C | zero | Reads | Writes | Trims | Flushes | Failures | BytesRead | BytesWritten | zero |
//     +--------+------+-------+--------+-------+---------+----------+-----------+--------------+------+
//
// State page p holds the states of blocks 1984 p to 1984 p + 1983, in 62 words of 32 blocks, the first block lowest.
//     0         4         8      16                                          512
//     +---------+---------+------+--------------------------------------------+
//     | Crc32C  | Page    | zero | 62 x u64: two bits per block               |   0 free, 1 used, 2 trimmed, 3 bad
//     +---------+---------+------+--------------------------------------------+   Blocks beyond the last one are free.
//
// The checksums of counters and pages begin with the id, so that a sector of another device does not pass, and a page
// holds its number, so that a page in another's place does not pass.
static class DeviceFileFormat
{
    public const int SectorBytes = 512;
    public const uint Version = 1;
    public const long MaxBlockCount = 1L << 32; // A map of 1 GiB: what is held in memory is bounded by this.
    public const long CountersOffset = SectorBytes;
    public const long PagesOffset = 2 * SectorBytes;

    const int DataAlignment = 4096;
    const int VersionOffset = 8, HeaderCrcOffset = 12, IdOffset = 16, BlockSizeOffset = 32;
    const int BlockCountOffset = 40, DataOffsetOffset = 48, HeaderEnd = 56;
    const int SectorCrcOffset = 0, FirstCounterOffset = 8, CountersEnd = 64;
    const int PageNumberOffset = 4, WordsOffset = 16;

    static ReadOnlySpan<byte> Magic => "ASHLRDEV"u8;

    public readonly record struct Header(Guid Id, int BlockSizeBytes, long BlockCount)
    {
        public int PageCount => BlockStateMap.PagesFor(BlockCount);

        public long PagesEnd => PagesOffset + (long)PageCount * SectorBytes;

        public long DataOffset => (PagesEnd + DataAlignment - 1) / DataAlignment * DataAlignment;

        public long FileLengthBytes => checked(DataOffset + BlockCount * BlockSizeBytes);
    }

    public static long PageOffset(int page) => PagesOffset + (long)page * SectorBytes;

    public static void WriteHeader(Span<byte> sector, in Header header)
    {
        sector.Clear();
        Magic.CopyTo(sector);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[VersionOffset..], Version);
        header.Id.TryWriteBytes(sector[IdOffset..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt32LittleEndian(sector[BlockSizeOffset..], header.BlockSizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(sector[BlockCountOffset..], header.BlockCount);
        BinaryPrimitives.WriteInt64LittleEndian(sector[DataOffsetOffset..], header.DataOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[HeaderCrcOffset..], HeaderChecksum(sector));
    }

    /// <summary>Reads and checks the header.</summary>
    /// <exception cref="UnsupportedFormatException">Another product's file, or a version unknown here.</exception>
    /// <exception cref="CorruptDataException">A checksum or a field does not hold.</exception>
    public static Header ReadHeader(string path, ReadOnlySpan<byte> sector)
    {
        RequireMagic(path, sector);
        var found = BinaryPrimitives.ReadUInt32LittleEndian(sector[HeaderCrcOffset..]);
        RequireChecksum(path, 0, found, HeaderChecksum(sector));
        var version = BinaryPrimitives.ReadUInt32LittleEndian(sector[VersionOffset..]);
        if (version != Version)
        {
            throw new UnsupportedFormatException(
                path, $"device file of version {version}; this program reads version {Version}");
        }

        var header = new Header(
            new Guid(sector.Slice(IdOffset, 16), bigEndian: true),
            BinaryPrimitives.ReadInt32LittleEndian(sector[BlockSizeOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(sector[BlockCountOffset..]));
        var (blockSize, blockCount) = (header.BlockSizeBytes, header.BlockCount);
        Require(blockSize is 512 or 4096, path, BlockSizeOffset, $"a block size of {blockSize} bytes");
        Require(blockCount is >= 1 and <= MaxBlockCount, path, BlockCountOffset, $"{blockCount} blocks");
        var dataOffset = BinaryPrimitives.ReadInt64LittleEndian(sector[DataOffsetOffset..]);
        Require(
            dataOffset == header.DataOffset, path, DataOffsetOffset, $"data at byte {dataOffset}, not {header.DataOffset}");
        RequireZeros(path, BlockSizeOffset + 4, sector[(BlockSizeOffset + 4)..BlockCountOffset]);
        RequireZeros(path, HeaderEnd, sector[HeaderEnd..]);
        return header;
    }

    /// <summary>Fails if the first bytes of a file, as far as there are any, are those of another product.</summary>
    /// <exception cref="UnsupportedFormatException">They are.</exception>
    public static void RequireMagic(string path, ReadOnlySpan<byte> start)
    {
        var length = Math.Min(start.Length, Magic.Length);
        if (!start[..length].SequenceEqual(Magic[..length]))
            throw new UnsupportedFormatException(path, "not an Ashlar device file");
    }

    public static void WriteCounters(Span<byte> sector, Guid id, in DeviceStatistics counters)
    {
        sector.Clear();
        ReadOnlySpan<long> values =
        [
            counters.Reads, counters.Writes, counters.Trims, counters.Flushes, counters.Failures,
            counters.BytesRead, counters.BytesWritten,
        ];
        for (var i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(sector[(FirstCounterOffset + i * sizeof(long))..], values[i]);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[SectorCrcOffset..], SectorChecksum(id, sector));
    }

    /// <summary>Reads and checks the counters.</summary>
    /// <exception cref="CorruptDataException">The checksum or a field does not hold.</exception>
    public static DeviceStatistics ReadCounters(string path, ReadOnlySpan<byte> sector, Guid id)
    {
        RequireSectorChecksum(path, CountersOffset, sector, id);
        Span<long> values = stackalloc long[7];
        for (var i = 0; i < values.Length; i++)
        {
            var offset = FirstCounterOffset + i * sizeof(long);
            values[i] = BinaryPrimitives.ReadInt64LittleEndian(sector[offset..]);
            Require(values[i] >= 0, path, CountersOffset + offset, "a negative counter");
        }
        RequireZeros(path, CountersOffset + 4, sector[4..FirstCounterOffset]);
        RequireZeros(path, CountersOffset + CountersEnd, sector[CountersEnd..]);
        return new DeviceStatistics(values[0], values[1], values[2], values[3], values[4], values[5], values[6]);
    }

    public static void WritePage(Span<byte> sector, Guid id, int page, ReadOnlySpan<ulong> words)
    {
        sector.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(sector[PageNumberOffset..], page);
        for (var i = 0; i < words.Length; i++)
        {
            var word = Volatile.Read(in words[i]); // The map is live; each word is taken once.
            BinaryPrimitives.WriteUInt64LittleEndian(sector[(WordsOffset + i * sizeof(ulong))..], word);
        }
        BinaryPrimitives.WriteUInt32LittleEndian(sector[SectorCrcOffset..], SectorChecksum(id, sector));
    }

    /// <summary>Reads and checks a page of states.</summary>
    /// <exception cref="CorruptDataException">The checksum or a field does not hold.</exception>
    public static void ReadPage(string path, ReadOnlySpan<byte> sector, in Header header, int page, Span<ulong> words)
    {
        var start = PageOffset(page);
        RequireSectorChecksum(path, start, sector, header.Id);
        var number = BinaryPrimitives.ReadInt32LittleEndian(sector[PageNumberOffset..]);
        Require(number == page, path, start + PageNumberOffset, $"page {number} in the place of page {page}");
        RequireZeros(path, start + 8, sector[8..WordsOffset]);
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt64LittleEndian(sector[(WordsOffset + i * sizeof(ulong))..]);
            var blocks = header.BlockCount - (long)page * BlockStateMap.BlocksPerPage - i * BlockStateMap.BlocksPerWord;
            var beyond = blocks >= BlockStateMap.BlocksPerWord ? 0 : words[i] >> (int)Math.Max(blocks, 0) * 2;
            Require(beyond == 0, path, start + WordsOffset + i * sizeof(ulong), "states beyond the last block");
        }
    }

    public static void RequireZeros(string path, long offset, ReadOnlySpan<byte> reserved)
    {
        var index = reserved.IndexOfAnyExcept((byte)0);
        Require(index < 0, path, offset + index, "reserved bytes are not zero");
    }

    static uint HeaderChecksum(ReadOnlySpan<byte> sector) =>
        Crc32C.Append(Crc32C.Compute(sector[..HeaderCrcOffset]), sector[(HeaderCrcOffset + 4)..]);

    static uint SectorChecksum(Guid id, ReadOnlySpan<byte> sector)
    {
        Span<byte> idBytes = stackalloc byte[16];
        id.TryWriteBytes(idBytes, bigEndian: true, out _);
        return Crc32C.Append(Crc32C.Compute(idBytes), sector[(SectorCrcOffset + 4)..]);
    }

    static void RequireSectorChecksum(string path, long offset, ReadOnlySpan<byte> sector, Guid id)
    {
        var found = BinaryPrimitives.ReadUInt32LittleEndian(sector[SectorCrcOffset..]);
        RequireChecksum(path, offset, found, SectorChecksum(id, sector));
    }

    static void RequireChecksum(string path, long offset, uint found, uint expected) =>
        Require(found == expected, path, offset, $"checksum mismatch: expected {expected:x8}, found {found:x8}");

    static void Require(bool holds, string path, long offset, string problem)
    {
        if (!holds) throw new CorruptDataException(path, offset, problem);
    }
}
