using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Why nothing is placed in a range of the device.</summary>
enum BarredState : byte
{
    /// <summary>What lies there is being moved away.</summary>
    Leaving = 1,

    /// <summary>Nothing lies there, and nothing ever will: there may be no device any more.</summary>
    Gone = 2,
}

// Range of chunks of which none is given out, in the store, format version 1. Little-endian. The key holds the first chunk.
//
//   0         4       5          8
//   +---------+-------+----------+-----------+
//   | Version | State | Zero (3) | Count (8) |   16 bytes
//   +---------+-------+----------+-----------+
sealed record BarredRange(long First, long Count, BarredState State)
{
    const uint Version = 1;

    // One may reach beyond the pool, to the end of a device that the pool has not grown over.
    const long MaxChunks = (StoragePool.MaxCapacityBytes / MapLayout.ChunkBytes) + MapLayout.ReservedChunks;

    const int SizeBytes = 16, StateOffset = 4, CountOffset = 8;

    public long End => First + Count;

    public byte[] ToBytes()
    {
        var target = new byte[SizeBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(target, Version);
        target[StateOffset] = (byte)State;
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(CountOffset), Count);
        return target;
    }

    public static BarredRange Read(ReadOnlySpan<byte> key, ReadOnlySpan<byte> source, string where)
    {
        if (key.Length != MapKeys.BarredBytes || source.Length < sizeof(uint))
            throw new CorruptDataException(where, 0, "range that is out of use: shorter than its version");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) is not Version and var version)
        {
            throw new UnsupportedFormatException(
                where, $"range that is out of use in version {version}; this program reads version {Version}");
        }

        if (source.Length != SizeBytes || source[StateOffset] is not ((byte)BarredState.Leaving or (byte)BarredState.Gone))
            throw new CorruptDataException(where, 0, $"range that is out of use: {source.Length} bytes");
        var (first, count) = (MapKeys.ReadNumber(key), BinaryPrimitives.ReadInt64LittleEndian(source[CountOffset..]));
        if (first < MapLayout.ReservedChunks || count <= 0 || first > MaxChunks || count > MaxChunks - first)
            throw new CorruptDataException(where, 0, $"range that is out of use: {count} chunks from {first} on");
        return new BarredRange(first, count, (BarredState)source[StateOffset]);
    }
}
