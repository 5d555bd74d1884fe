using System.Buffers.Binary;

namespace Ashlar.Volumes;

// What was damaged when the pool was last in use, format version 1. Little-endian. A hint of where to look at the next opening: an
// entry that does not hold any more, or one that is missing, costs nothing but that.
//
//   0         1
//   +---------+-----------------------------------------------+
//   | Version | Places (18 each): lineage (8) leaf (8) block (2) |
//   +---------+-----------------------------------------------+
//
// Block: 4,096 bytes within the leaf, or 65,535 for the whole leaf, whose piece of the map cannot be read.
readonly record struct DamagedPlace(long Lineage, long Leaf, int Block)
{
    /// <summary>Number of a block that stands for all of a leaf.</summary>
    public const int WholeLeaf = ushort.MaxValue;

    const byte Version = 1;
    const int SizeBytes = 18, LeafOffset = 8, BlockOffset = 16;

    /// <summary>Where it begins in its volume.</summary>
    public long OffsetBytes => (Leaf * MapLayout.LeafBytes) + (Block == WholeLeaf ? 0 : (long)Block * MapLayout.BlockBytes);

    /// <summary>How long it is.</summary>
    public int LengthBytes => Block == WholeLeaf ? MapLayout.LeafBytes : MapLayout.BlockBytes;

    public static byte[] ToBytes(IReadOnlyList<DamagedPlace> places)
    {
        var target = new byte[1 + (places.Count * SizeBytes)];
        target[0] = Version;
        for (var i = 0; i < places.Count; i++)
        {
            var bytes = target.AsSpan(1 + (i * SizeBytes));
            BinaryPrimitives.WriteInt64LittleEndian(bytes, places[i].Lineage);
            BinaryPrimitives.WriteInt64LittleEndian(bytes[LeafOffset..], places[i].Leaf);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[BlockOffset..], (ushort)places[i].Block);
        }

        return target;
    }

    /// <summary>The places; none when the bytes are of a version that is not known, or say what cannot be.</summary>
    public static IReadOnlyList<DamagedPlace> Read(ReadOnlySpan<byte> source)
    {
        if (source.Length < 1 || source[0] != Version || (source.Length - 1) % SizeBytes != 0) return [];
        var places = new List<DamagedPlace>();
        for (var rest = source[1..]; !rest.IsEmpty; rest = rest[SizeBytes..])
        {
            var place = new DamagedPlace(
                BinaryPrimitives.ReadInt64LittleEndian(rest),
                BinaryPrimitives.ReadInt64LittleEndian(rest[LeafOffset..]),
                BinaryPrimitives.ReadUInt16LittleEndian(rest[BlockOffset..]));
            var isPlace = place.Leaf is >= 0 and < StoragePool.MaxVolumeBytes / MapLayout.LeafBytes
                && place.Block is WholeLeaf or < MapLayout.BlocksPerLeaf;
            if (isPlace) places.Add(place);
        }

        return places;
    }
}
