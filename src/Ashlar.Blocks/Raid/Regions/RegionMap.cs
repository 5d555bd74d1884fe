using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

// A map of regions, as it lies on each member: 128 sectors of 512 bytes, little-endian. A sector is written whole or not at all, so each
// stands for itself; one that is damaged says that all of its regions are marked.
//
//   0        4        8       16                512
//   +--------+--------+-------+-----------------+
//   | Crc32C | Number | zeros | 3,968 regions   |
//   +--------+--------+-------+-----------------+
//
// Number: of the sector, from 0. Regions: a bit each, the first in the lowest bit of byte 16. Crc32C covers the set's id and bytes 4..512.
sealed class RegionMap
{
    public const int PageBytes = 4096;

    const int SectorBytes = 512, HeaderBytes = 16, RegionsPerSector = (SectorBytes - HeaderBytes) * 8;
    const int SectorCount = MemberAreas.RegionMapBytes / SectorBytes, RegionsPerPage = RegionsPerSector * (PageBytes / SectorBytes);

    readonly byte[] image = new byte[MemberAreas.RegionMapBytes];
    readonly uint seed;

    public RegionMap(Guid setId, int regionCount)
    {
        Invariant.Require(regionCount is > 0 and <= SectorCount * RegionsPerSector);
        RegionCount = regionCount;
        Span<byte> id = stackalloc byte[16];
        setId.TryWriteBytes(id, bigEndian: true, out _);
        seed = Crc32C.Compute(id);
    }

    public int RegionCount { get; private set; }

    /// <summary>The regions that are marked.</summary>
    public SortedSet<int> Marked { get; } = [];

    public static int PageCount => MemberAreas.RegionMapBytes / PageBytes;

    /// <summary>Whether a map has a bit for each region.</summary>
    public static bool Covers(long dataBytes, long regionBytes) => (dataBytes - 1) / regionBytes < SectorCount * RegionsPerSector;

    /// <summary>Regions of so much data.</summary>
    public static int CountOf(long dataBytes, long regionBytes) => (int)((dataBytes - 1) / regionBytes) + 1;

    /// <summary>The smallest regions, doubled from a wish, of which a map has one for all data.</summary>
    public static long RegionBytesFor(long dataBytes, int chunkBytes, long wished)
    {
        var region = Math.Max(wished, chunkBytes) / chunkBytes * chunkBytes;
        while (!Covers(dataBytes, region)) region *= 2;
        return region;
    }

    public static int PageOf(int region) => region / RegionsPerPage;

    public bool this[int region]
    {
        get => (image[ByteOf(region)] >> (region % 8) & 1) != 0;
        set
        {
            Invariant.Require((uint)region < (uint)RegionCount);
            var bit = (byte)(1 << (region % 8));
            if (value) image[ByteOf(region)] |= bit;
            else image[ByteOf(region)] &= (byte)~bit;
            if (value) Marked.Add(region);
            else Marked.Remove(region);
        }
    }

    /// <summary>It has regions more, none of them marked.</summary>
    public void Grow(int regionCount)
    {
        Invariant.Require(regionCount >= RegionCount && regionCount <= SectorCount * RegionsPerSector);
        RegionCount = regionCount;
    }

    /// <summary>Puts a page, as it is now, into a buffer.</summary>
    public void WritePage(int page, Span<byte> target)
    {
        image.AsSpan(page * PageBytes, PageBytes).CopyTo(target);
        for (var at = 0; at < PageBytes; at += SectorBytes)
        {
            var sector = target.Slice(at, SectorBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(sector[4..], (uint)(((page * PageBytes) + at) / SectorBytes));
            BinaryPrimitives.WriteUInt32LittleEndian(sector, Crc32C.Append(seed, sector[4..]));
        }
    }

    /// <summary>Marks what a map of a member marks, too.</summary>
    /// <returns>How many sectors were damaged.</returns>
    public int Add(ReadOnlySpan<byte> source)
    {
        var damaged = 0;
        for (var number = 0; number < SectorCount && number * RegionsPerSector < RegionCount; number++)
        {
            var sector = source.Slice(number * SectorBytes, SectorBytes);
            var isSound = IsSound(sector, number);
            if (!isSound) damaged++;
            var first = number * RegionsPerSector;
            for (var i = 0; i < RegionsPerSector && first + i < RegionCount; i++)
                if (!isSound || (sector[HeaderBytes + (i / 8)] >> (i % 8) & 1) != 0) this[first + i] = true;
        }

        return damaged;
    }

    /// <summary>Whether a map is blank, or as far as it was written is of this set.</summary>
    public bool IsBlankOrOwn(ReadOnlySpan<byte> source)
    {
        for (var number = 0; number < SectorCount; number++)
        {
            var sector = source.Slice(number * SectorBytes, SectorBytes);
            if (sector.ContainsAnyExcept((byte)0) && !IsSound(sector, number)) return false;
        }

        return true;
    }

    bool IsSound(ReadOnlySpan<byte> sector, int number) =>
        BinaryPrimitives.ReadUInt32LittleEndian(sector) == Crc32C.Append(seed, sector[4..])
            && BinaryPrimitives.ReadUInt32LittleEndian(sector[4..]) == number;

    static int ByteOf(int region) =>
        (region / RegionsPerSector * SectorBytes) + HeaderBytes + (region % RegionsPerSector / 8);
}
