using System.Buffers.Binary;
using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Delta of a leaf, format version 1: the checksums that have changed since the leaf was last written as a whole. Little-endian.
//
//   0         1       2            6
//   +---------+-------+------------+-------------------------------------------------+
//   | Version | Count | Whole (4)  | Count times: Block (1), Checksum (4), ascending |
//   +---------+-------+------------+-------------------------------------------------+
//
// Whole: CRC32C of the leaf that it belongs to, as that is stored. A leaf that is written as a whole takes its delta along in one batch;
// the two that do not belong together are damage, and never mixed.
static class LeafDelta
{
    /// <summary>With more of them the whole leaf is written: it is hardly longer than what would be written again and again.</summary>
    public const int MaxBlocks = 32;

    /// <summary>A leaf that takes less has no delta: it is as short itself, and whoever loads it need not look for one.</summary>
    public const int LeastWholeBytes = 256;

    public const int MaxBytes = HeaderBytes + (MaxBlocks * EntryBytes);

    const byte Version = 1;
    const int HeaderBytes = 6, EntryBytes = 5, WholeOffset = 2;

    /// <summary>What ties a delta to the leaf as it is stored.</summary>
    public static uint TieOf(ReadOnlySpan<byte> whole) => Crc32C.Compute(whole);

    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> target, BlockSet blocks, ReadOnlySpan<uint> checksums, uint tie)
    {
        var count = blocks.Count;
        Invariant.Require(count is > 0 and <= MaxBlocks);
        target[0] = Version;
        target[1] = (byte)count;
        BinaryPrimitives.WriteUInt32LittleEndian(target[WholeOffset..], tie);
        var position = HeaderBytes;
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
        {
            for (var bits = (uint)blocks[slot]; bits != 0; bits &= bits - 1, position += EntryBytes)
            {
                var block = (slot * MapLayout.BlocksPerChunk) + BitOperations.TrailingZeroCount(bits);
                target[position] = (byte)block;
                BinaryPrimitives.WriteUInt32LittleEndian(target[(position + 1)..], checksums[block]);
            }
        }

        return position;
    }

    /// <summary>Puts checksums into the leaf that was read as a whole.</summary>
    /// <returns>Blocks whose checksums came from the delta.</returns>
    /// <exception cref="CorruptDataException">The bytes are no delta, or not that leaf's.</exception>
    public static BlockSet Apply(ReadOnlySpan<byte> source, LeafMap map, uint tie, string where, long leafIndex)
    {
        if (source.Length < HeaderBytes) throw Damaged(where, leafIndex, "shorter than its header");
        if (source[0] != Version)
            throw new UnsupportedFormatException(where, $"delta format version {source[0]}; this program reads version {Version}");
        var count = source[1];
        if (count is 0 or > MaxBlocks || source.Length != HeaderBytes + (count * EntryBytes))
            throw Damaged(where, leafIndex, $"{source.Length} bytes for {count} blocks");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[WholeOffset..]) is var whole && whole != tie)
            throw Damaged(where, leafIndex, $"it belongs to leaf {whole:x8}, and {tie:x8} is there");
        var blocks = default(BlockSet);
        var previous = -1;
        for (var rest = source[HeaderBytes..]; !rest.IsEmpty; rest = rest[EntryBytes..])
        {
            int block = rest[0];
            if (block <= previous) throw Damaged(where, leafIndex, $"block {block} after block {previous}");
            if (!map.IsValid(block)) throw Damaged(where, leafIndex, $"a checksum of block {block}, which holds no data");
            map.Checksums[block] = BinaryPrimitives.ReadUInt32LittleEndian(rest[1..]);
            blocks.Add(block);
            previous = block;
        }

        return blocks;
    }

    /// <summary>A leaf with its delta, encoded as one that was written as a whole.</summary>
    /// <exception cref="CorruptDataException">One of them is damaged, or they do not belong together.</exception>
    public static byte[] Merge(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> delta, string where, long leafIndex)
    {
        var map = new LeafMap();
        var version = LeafFormat.Read(whole, map, long.MaxValue / MapLayout.BlocksPerChunk, where, leafIndex);
        Apply(delta, map, TieOf(whole), where, leafIndex);
        Span<byte> merged = stackalloc byte[LeafFormat.MaxBytes];
        return merged[..LeafFormat.Write(merged, map, version)].ToArray();
    }

    static CorruptDataException Damaged(string where, long leafIndex, string problem) =>
        new(where, leafIndex * MapLayout.LeafBytes, $"delta of a map leaf: {problem}");
}
