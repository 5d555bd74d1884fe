using System.Buffers.Binary;
using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

// Header of a file system on a device, format version 1. Little-endian, 4,096 bytes, two copies: at bytes 0 and 4,096 of the region.
//
//   0        8         12          16      32           40        56        72            76       80                     4092
//   +--------+---------+-----------+-------+------------+---------+---------+-------------+--------+-----------------------+--------+
//   | Magic  | Version | UnitBytes | FS id | Generation | Area 0  | Area 1  | ExtentCount | zeros  | Extents, zeros        | Crc32C |
//   +--------+---------+-----------+-------+------------+---------+---------+-------------+--------+-----------------------+--------+
//
// Magic: "ASHLFSYS". An area: first unit (8), units (8). An extent: byte of the device (8), length in bytes (8), whole units; the first
// begins with this header. Generation: of two copies the greater one counts. Crc32C covers bytes 0..4092.
sealed record HeaderFormat(Guid Id, int UnitBytes, long Generation, UnitRun Area0, UnitRun Area1, IReadOnlyList<RegionExtent> Extents)
{
    public const int SizeBytes = 4096;
    public const int CopyCount = 2;
    public const uint Version = 1;
    public const int MinUnitBytes = 4096, MaxUnitBytes = 256 * 1024;
    public const int MaxExtents = (Crc32COffset - ExtentsOffset) / ExtentBytes;

    /// <summary>Smallest and largest area: what is read when it is opened, and held in memory.</summary>
    public const long MinAreaBytes = 64 * 1024, MaxAreaBytes = 16 << 20;

    /// <summary>A petabyte in units of 64 KiB: what the table of free units takes is 2 GiB then.</summary>
    public const long MaxUnits = 1L << 34;

    const int VersionOffset = 8, UnitOffset = 12, IdOffset = 16, GenerationOffset = 32, AreasOffset = 40, CountOffset = 72;
    const int ExtentsOffset = 80, ExtentBytes = 16, Crc32COffset = SizeBytes - sizeof(uint);

    static ReadOnlySpan<byte> Magic => "ASHLFSYS"u8;

    /// <summary>Units that the two copies take.</summary>
    public long HeaderUnits => ((CopyCount * SizeBytes) + UnitBytes - 1) / UnitBytes;

    public long UnitCount => Extents.Sum(extent => extent.LengthBytes / UnitBytes);

    public UnitRun Area(int index) => index == 0 ? Area0 : Area1;

    public void Write(Span<byte> target)
    {
        target[..SizeBytes].Clear();
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[VersionOffset..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(target[UnitOffset..], UnitBytes);
        Id.TryWriteBytes(target[IdOffset..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(target[GenerationOffset..], Generation);
        for (var i = 0; i < 2; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(target[(AreasOffset + (16 * i))..], Area(i).Unit);
            BinaryPrimitives.WriteInt64LittleEndian(target[(AreasOffset + (16 * i) + 8)..], Area(i).Count);
        }

        BinaryPrimitives.WriteInt32LittleEndian(target[CountOffset..], Extents.Count);
        for (var i = 0; i < Extents.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(target[(ExtentsOffset + (ExtentBytes * i))..], Extents[i].OffsetBytes);
            BinaryPrimitives.WriteInt64LittleEndian(target[(ExtentsOffset + (ExtentBytes * i) + 8)..], Extents[i].LengthBytes);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(target[Crc32COffset..], Crc32C.Compute(target[..Crc32COffset]));
    }

    /// <summary>Reads one copy, and checks everything that it says against the device.</summary>
    /// <exception cref="UnsupportedFormatException">Not a file system, or of a version that this program cannot read.</exception>
    /// <exception cref="CorruptDataException">It is damaged.</exception>
    public static HeaderFormat Read(ReadOnlySpan<byte> source, string device, long offsetBytes, long deviceBytes)
    {
        if (!source.StartsWith(Magic)) throw new UnsupportedFormatException(device, $"no file system at byte {offsetBytes}");
        var expected = BinaryPrimitives.ReadUInt32LittleEndian(source[Crc32COffset..]);
        var actual = Crc32C.Compute(source[..Crc32COffset]);
        if (expected != actual) throw Damaged($"checksum mismatch: expected {expected:x8}, found {actual:x8}");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[VersionOffset..]) is not Version and var version)
            throw new UnsupportedFormatException(device, $"file system version {version}; this program reads version {Version}");
        var unit = BinaryPrimitives.ReadInt32LittleEndian(source[UnitOffset..]);
        if (unit is < MinUnitBytes or > MaxUnitBytes || !BitOperations.IsPow2(unit)) throw Damaged($"units of {unit} bytes");
        var count = BinaryPrimitives.ReadInt32LittleEndian(source[CountOffset..]);
        if (count is < 1 || count > MaxExtents) throw Damaged($"{count} extents");
        var extents = new RegionExtent[count];
        for (var i = 0; i < count; i++)
        {
            var place = source[(ExtentsOffset + (ExtentBytes * i))..];
            extents[i] = new(BinaryPrimitives.ReadInt64LittleEndian(place), BinaryPrimitives.ReadInt64LittleEndian(place[8..]));
        }

        if (FindProblem(extents, unit, deviceBytes) is { } problem) throw Damaged(problem);
        if (extents[0].OffsetBytes > offsetBytes || offsetBytes - extents[0].OffsetBytes >= CopyCount * SizeBytes)
            throw Damaged($"its first extent begins at byte {extents[0].OffsetBytes}");
        var header = new HeaderFormat(
            new Guid(source.Slice(IdOffset, 16), bigEndian: true),
            unit,
            BinaryPrimitives.ReadInt64LittleEndian(source[GenerationOffset..]),
            ReadRun(source[AreasOffset..]),
            ReadRun(source[(AreasOffset + 16)..]),
            extents);
        for (var i = 0; i < 2; i++)
        {
            var area = header.Area(i);
            if (area.Unit < header.HeaderUnits || area.Count < 1 || area.Count > header.UnitCount - area.Unit
                || area.Count * unit is < MinAreaBytes or > MaxAreaBytes)
                throw Damaged($"area of {area.Count} units at unit {area.Unit} of {header.UnitCount}");
        }

        if (header.Area0.Unit < header.Area1.End && header.Area1.Unit < header.Area0.End) throw Damaged("its areas overlap");
        return header;

        CorruptDataException Damaged(string problem) => new(device, offsetBytes, $"header of a file system: {problem}");
    }

    /// <summary>What is wrong with extents, or null.</summary>
    public static string? FindProblem(IReadOnlyList<RegionExtent> extents, int unitBytes, long deviceBytes)
    {
        if (extents.Count is < 1 || extents.Count > MaxExtents) return $"{extents.Count} extents; there are 1 to {MaxExtents}";
        long units = 0;
        foreach (var (offset, length) in extents)
        {
            if (offset < 0 || length < unitBytes || offset % Region.PageBytes != 0 || length % unitBytes != 0
                || offset > deviceBytes || length > deviceBytes - offset)
                return $"extent of {length} bytes at byte {offset} of a device of {deviceBytes} bytes, in units of {unitBytes}";
            units += length / unitBytes;
        }

        var ordered = extents.OrderBy(extent => extent.OffsetBytes).ToArray();
        for (var i = 1; i < ordered.Length; i++)
            if (ordered[i].OffsetBytes < ordered[i - 1].OffsetBytes + ordered[i - 1].LengthBytes)
                return $"the extents at bytes {ordered[i - 1].OffsetBytes} and {ordered[i].OffsetBytes} overlap";
        return units <= MaxUnits ? null : $"{units} units; there are {MaxUnits} at most";
    }

    static UnitRun ReadRun(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(source), BinaryPrimitives.ReadInt64LittleEndian(source[8..]));
}
