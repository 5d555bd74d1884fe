using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// 512 bytes that say what they are: volume, sector, version, checksum, and filling that follows from them. Version 0 is zeros. One of
/// three has its checksum at the end: then the CRC of all of it is the same as that of every other one that has.
/// </summary>
static class DescribedSector
{
    public const int SizeBytes = 512;

    public static void Write(Span<byte> target, int volume, long sector, int version)
    {
        if (version == 0)
        {
            target[..SizeBytes].Clear();
            return;
        }

        new SeededRandom(((ulong)volume << 48) ^ ((ulong)sector << 24) ^ (uint)version).Fill(target[..SizeBytes]);
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], volume);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], sector);
        BinaryPrimitives.WriteInt32LittleEndian(target[16..], version);
        var (checksum, content) = ChecksumOf(version);
        BinaryPrimitives.WriteUInt32LittleEndian(target[checksum], Crc32C.Compute(target[content]));
    }

    /// <summary>The version that a sector holds.</summary>
    /// <exception cref="CrashFindingException">It is torn, foreign, or in the wrong place.</exception>
    public static int Read(ReadOnlySpan<byte> source, int volume, long sector)
    {
        var data = source[..SizeBytes];
        if (!data.ContainsAnyExcept((byte)0)) return 0;
        var version = BinaryPrimitives.ReadInt32LittleEndian(data[16..]);
        var (checksum, content) = ChecksumOf(version);
        if (BinaryPrimitives.ReadUInt32LittleEndian(data[checksum]) != Crc32C.Compute(data[content]))
            throw new CrashFindingException(Finding.Torn, $"sector {sector} of volume {volume} within 512 bytes");
        var (foundVolume, foundSector) = (BinaryPrimitives.ReadInt32LittleEndian(data[4..]),
            BinaryPrimitives.ReadInt64LittleEndian(data[8..]));
        if (foundVolume != volume || foundSector != sector)
            throw new CrashFindingException(
                Finding.Foreign, $"sector {sector} of volume {volume} holds sector {foundSector} of volume {foundVolume}");
        return version;
    }

    static (Range Checksum, Range Content) ChecksumOf(int version) =>
        version % 3 == 0 ? (508..SizeBytes, ..508) : (..4, 4..SizeBytes);
}
