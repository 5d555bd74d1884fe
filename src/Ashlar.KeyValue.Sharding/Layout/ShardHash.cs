using System.Buffers.Binary;
using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Layout;

/// <summary>
/// Where a key lives, part of the format of the file SHARDS (hash 1): each 8 bytes (little-endian, the last ones filled with zeros) are
/// mixed in by multiply, rotate, multiply; the length is mixed in last.
/// </summary>
/// <remarks>
/// Filters of tables begin with the same hash, which may change with their format: this one may not. It is mixed once more, so that the
/// keys of one shard are not alike to its filters.
/// </remarks>
static class ShardHash
{
    const ulong First = 0x9E3779B185EBCA87;
    const ulong Second = 0xC2B2AE3D27D4EB4F;

    public static int Place(ReadOnlySpan<byte> key, int shardCount)
    {
        var hash = Compute(key);
        hash ^= hash >> 33;
        hash *= 0xFF51AFD7ED558CCD;
        hash ^= hash >> 33;
        hash *= 0xC4CEB9FE1A85EC53;
        hash ^= hash >> 33;
        var shard = (int)Math.BigMul(hash, (ulong)shardCount, out _);
        Invariant.Require((uint)shard < (uint)shardCount);
        return shard;
    }

    static ulong Compute(ReadOnlySpan<byte> key)
    {
        var hash = First;
        var rest = key;
        for (; rest.Length >= 8; rest = rest[8..]) hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(rest));
        if (!rest.IsEmpty)
        {
            Span<byte> last = stackalloc byte[8];
            last.Clear();
            rest.CopyTo(last);
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(last));
        }

        hash = Mix(hash, (ulong)key.Length);
        hash ^= hash >> 32;
        hash *= Second;
        return hash ^ (hash >> 29);
    }

    static ulong Mix(ulong hash, ulong word) =>
        (BitOperations.RotateLeft(hash ^ (BitOperations.RotateLeft(word * Second, 31) * First), 27) * First) + Second;
}
