using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>How far a pool has come to be.</summary>
enum PoolState : byte
{
    /// <summary>Its superblock may not be written yet; formatting may begin again.</summary>
    Formatting = 1,

    Ready = 2,
}

// Pool record in the store, format version 6. Little-endian. Versions 1 to 5 are of pools whose blocks have other checksums (CRC32C).
//
//   0         4       8         24            32
//   +---------+-------+---------+-------------+----------------+
//   | Version | State | Pool id | NextLineage | NextGeneration |   40 bytes
//   +---------+-------+---------+-------------+----------------+
//
// NextLineage: number that the next volume's leaves get; never reused. NextGeneration: the next snapshot's; pool-wide.
sealed record PoolRecord(Guid PoolId, PoolState State, long NextLineage, long NextGeneration)
{
    public const uint Version = 6;
    const int SizeBytes = 40, StateOffset = 4, PoolIdOffset = 8, LineageOffset = 24, GenerationOffset = 32;

    public byte[] ToBytes()
    {
        var target = new byte[SizeBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(target, Version);
        target[StateOffset] = (byte)State;
        PoolId.TryWriteBytes(target.AsSpan(PoolIdOffset), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(LineageOffset), NextLineage);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(GenerationOffset), NextGeneration);
        return target;
    }

    public static PoolRecord Read(ReadOnlySpan<byte> source, string where)
    {
        if (source.Length < sizeof(uint)) throw new CorruptDataException(where, 0, "pool record: shorter than its version");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) is var version && version != Version)
        {
            var what = version is > 0 and < Version
                ? "its blocks have checksums of an earlier kind: send its volumes to a new pool with the build that made it"
                : $"this program reads version {Version}";
            throw new UnsupportedFormatException(where, $"pool record version {version}; {what}");
        }

        if (source.Length != SizeBytes || source[StateOffset] is not ((byte)PoolState.Formatting or (byte)PoolState.Ready))
            throw new CorruptDataException(where, 0, $"pool record: {source.Length} bytes");
        return new PoolRecord(
            new Guid(source.Slice(PoolIdOffset, 16), bigEndian: true),
            (PoolState)source[StateOffset],
            BinaryPrimitives.ReadInt64LittleEndian(source[LineageOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[GenerationOffset..]));
    }
}
