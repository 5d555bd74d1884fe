using System.Buffers.Binary;
using System.Numerics;
using Ashlar.KeyValue.Blocks;

namespace Ashlar.KeyValue.SortedTable;

/// <summary>
/// Tells for most absent keys that they are absent, and never lies about present ones. Each key sets 6 bits within one line
/// of 64 bytes, so a question touches one cache line; with 10 bits per key about 1 absent key in 100 passes. There is one
/// for each index block, so that asking where memory is short reads some kilobytes, not a megabyte.
/// </summary>
/// <remarks>
/// Format: lines of 512 bits, then the block trailer. Line = high 32 bits of the hash, scaled to the number of lines. Bit
/// i = (low 32 bits + i * ((low 32 bits rotated left by 15) | 1)) >> 23.
/// </remarks>
static class BloomFilter
{
    public const int BitsPerKey = 10;
    public const byte Encoding = 0;
    const int LineBytes = 64;
    const int Probes = 6;

    public static byte[] Build(List<ulong> hashes)
    {
        var lines = Math.Max(1, (int)(((long)hashes.Count * BitsPerKey + 511) / 512));
        var bits = new byte[(lines * LineBytes) + Block.TrailerBytes];
        foreach (var hash in hashes)
        {
            var line = bits.AsSpan(LineOf(hash, lines) * LineBytes, LineBytes);
            var (probe, step) = Start(hash);
            for (var i = 0; i < Probes; i++, probe += step) line[(int)(probe >> 26)] |= (byte)(1 << (int)((probe >> 23) & 7));
        }

        return bits;
    }

    public static bool MayContain(ReadOnlySpan<byte> filter, ulong hash)
    {
        var lines = (filter.Length - Block.TrailerBytes) / LineBytes;
        var line = filter.Slice(LineOf(hash, lines) * LineBytes, LineBytes);
        var (probe, step) = Start(hash);
        for (var i = 0; i < Probes; i++, probe += step)
        {
            if ((line[(int)(probe >> 26)] & (1 << (int)((probe >> 23) & 7))) == 0) return false;
        }

        return true;
    }

    /// <summary>Whether a length can be that of a filter with its trailer.</summary>
    public static bool IsLengthValid(long lengthBytes) =>
        lengthBytes >= LineBytes + Block.TrailerBytes && (lengthBytes - Block.TrailerBytes) % LineBytes == 0;

    public static uint Finish(Span<byte> filter, uint tableSeed, long offset)
    {
        var crc = Block.Checksum(tableSeed, offset, filter[..^4]);
        BinaryPrimitives.WriteUInt32LittleEndian(filter[^4..], crc);
        return crc;
    }

    static int LineOf(ulong hash, int lines) => (int)(((hash >> 32) * (ulong)lines) >> 32);

    static (uint Probe, uint Step) Start(ulong hash) => ((uint)hash, BitOperations.RotateLeft((uint)hash, 15) | 1);
}
