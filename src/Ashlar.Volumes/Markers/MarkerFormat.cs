using System.Buffers.Binary;
using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Marker of a leaf: its blocks that are being overwritten in place. Little-endian. A leaf without such blocks has none.
//
//   0          2
//   +----------+--------------------------------------------+
//   | Chunks   | BlockMask (2) for each set bit, ascending  |
//   +----------+--------------------------------------------+
//
// Chunks bit i: chunk i of the leaf has marked blocks; BlockMask bit j: block j of that chunk is marked, never 0.
static class MarkerFormat
{
    public const int MaxBytes = sizeof(ushort) * (1 + MapLayout.ChunksPerLeaf);

    /// <summary>Encodes a set of blocks that is not empty.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> target, BlockSet blocks)
    {
        ushort chunks = 0;
        var length = sizeof(ushort);
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
        {
            if (blocks[slot] == 0) continue;
            chunks |= (ushort)(1 << slot);
            BinaryPrimitives.WriteUInt16LittleEndian(target[length..], blocks[slot]);
            length += sizeof(ushort);
        }

        Invariant.Require(chunks != 0);
        BinaryPrimitives.WriteUInt16LittleEndian(target, chunks);
        return length;
    }

    /// <summary>Decodes a marker.</summary>
    /// <exception cref="CorruptDataException">The bytes are not a marker.</exception>
    public static BlockSet Read(ReadOnlySpan<byte> source, string where, long leafIndex)
    {
        var length = source.Length;
        var blocks = default(BlockSet);
        var chunks = source.Length < sizeof(ushort) ? (ushort)0 : BinaryPrimitives.ReadUInt16LittleEndian(source);
        if (chunks == 0 || source.Length != sizeof(ushort) * (1 + BitOperations.PopCount(chunks))) throw Damaged();
        var position = sizeof(ushort);
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
        {
            if ((chunks >> slot & 1) == 0) continue;
            blocks[slot] = BinaryPrimitives.ReadUInt16LittleEndian(source[position..]);
            if (blocks[slot] == 0) throw Damaged();
            position += sizeof(ushort);
        }

        return blocks;
        CorruptDataException Damaged() =>
            new(where, leafIndex * MapLayout.LeafBytes, $"marker of overwrites: {length} bytes that do not fit its chunks");
    }
}
