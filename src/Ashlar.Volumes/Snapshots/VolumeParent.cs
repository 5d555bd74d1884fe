using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>The snapshot that a clone came from: what the clone does not have itself is there.</summary>
/// <param name="Lineage">Number under which the leaves of the snapshot's volume are kept.</param>
/// <param name="Generation">Generation of the snapshot.</param>
sealed record VolumeParent(long Lineage, long Generation)
{
    const uint Version = 1;
    const int SizeBytes = 20, LineageOffset = 4, GenerationOffset = 12;

    // Version (4) | Lineage (8) | Generation (8), little-endian.
    public byte[] ToBytes()
    {
        var target = new byte[SizeBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(target, Version);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(LineageOffset), Lineage);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(GenerationOffset), Generation);
        return target;
    }

    public static VolumeParent Read(ReadOnlySpan<byte> source, string where)
    {
        if (source.Length < sizeof(uint)) throw new CorruptDataException(where, 0, "origin of a clone: shorter than its version");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) is not Version and var version)
            throw new UnsupportedFormatException(where, $"origin of a clone in version {version}; this program reads version {Version}");
        if (source.Length != SizeBytes) throw new CorruptDataException(where, 0, $"origin of a clone: {source.Length} bytes");
        var parent = new VolumeParent(
            BinaryPrimitives.ReadInt64LittleEndian(source[LineageOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[GenerationOffset..]));
        return parent is { Lineage: > 0, Generation: > 0 }
            ? parent
            : throw new CorruptDataException(where, 0, $"origin of a clone: lineage {parent.Lineage}, generation {parent.Generation}");
    }
}
