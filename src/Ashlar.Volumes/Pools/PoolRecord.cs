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

// Pool record in the store, format versions 1 to 6, of equal form. Little-endian. Version 2 is of pools that have had snapshots: programs
// that know none would overwrite what those need. Version 3 is of pools with ranges that are out of use, where others would place data.
// Version 4 is of pools whose leaves may have deltas: others would take what was overwritten for damage. Version 5 is of pools whose leaves
// of generation 1 may have blocks that are not at home, as atomic writes leave them: others would lose those; pools of earlier versions
// get it when they are opened. Version 6 is of pools whose blocks have the checksums of today.
//
//   0         4       8         24            32
//   +---------+-------+---------+-------------+----------------+
//   | Version | State | Pool id | NextLineage | NextGeneration |   40 bytes
//   +---------+-------+---------+-------------+----------------+
//
// NextLineage: number that the next volume's leaves get; never reused. NextGeneration: the next snapshot's; pool-wide.
/// <param name="PoolId">UUID.</param>
/// <param name="State">How far it has come to be.</param>
/// <param name="NextLineage">See above.</param>
/// <param name="NextGeneration">See above.</param>
/// <param name="Checksum">Which checksums its blocks have.</param>
sealed record PoolRecord(Guid PoolId, PoolState State, long NextLineage, long NextGeneration, BlockChecksum Checksum)
{
    public const uint Version = 6, Crc32CVersion = 5;
    const int SizeBytes = 40, StateOffset = 4, PoolIdOffset = 8, LineageOffset = 24, GenerationOffset = 32;

    public byte[] ToBytes()
    {
        var target = new byte[SizeBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(target, Checksum == BlockChecksum.Crc32C ? Crc32CVersion : Version);
        target[StateOffset] = (byte)State;
        PoolId.TryWriteBytes(target.AsSpan(PoolIdOffset), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(LineageOffset), NextLineage);
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(GenerationOffset), NextGeneration);
        return target;
    }

    public static PoolRecord Read(ReadOnlySpan<byte> source, string where)
    {
        if (source.Length < sizeof(uint)) throw new CorruptDataException(where, 0, "pool record: shorter than its version");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) is var version && version is 0 or > Version)
            throw new UnsupportedFormatException(where, $"pool record version {version}; this program reads versions 1 to {Version}");
        if (source.Length != SizeBytes || source[StateOffset] is not ((byte)PoolState.Formatting or (byte)PoolState.Ready))
            throw new CorruptDataException(where, 0, $"pool record: {source.Length} bytes");
        return new PoolRecord(
            new Guid(source.Slice(PoolIdOffset, 16), bigEndian: true),
            (PoolState)source[StateOffset],
            BinaryPrimitives.ReadInt64LittleEndian(source[LineageOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[GenerationOffset..]),
            version > Crc32CVersion ? BlockChecksum.Xxh3 : BlockChecksum.Crc32C);
    }
}
