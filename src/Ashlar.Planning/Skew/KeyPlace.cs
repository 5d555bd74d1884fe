using System.Buffers.Binary;
using System.Numerics;

namespace Ashlar.Planning;

// The rule of ShardedKeyValueStore, again: planning knows no engine. A test compares the two key by key.
/// <summary>Where the sharded key-value store of Ashlar puts a key.</summary>
public static class KeyPlace
{
    const ulong First = 0x9E3779B185EBCA87;
    const ulong Second = 0xC2B2AE3D27D4EB4F;

    /// <summary>The shard of a key, 0 to <paramref name="shardCount"/> - 1.</summary>
    public static int Of(ReadOnlySpan<byte> key, int shardCount) => Scale(Hash(key), shardCount);

    internal static int Scale(ulong hash, int count) => (int)Math.BigMul(hash, (ulong)count, out _);

    internal static ulong Hash(ReadOnlySpan<byte> key)
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
        hash ^= hash >> 29;
        hash ^= hash >> 33;
        hash *= 0xFF51AFD7ED558CCD;
        hash ^= hash >> 33;
        hash *= 0xC4CEB9FE1A85EC53;
        return hash ^ (hash >> 33);
    }

    static ulong Mix(ulong hash, ulong word) =>
        (BitOperations.RotateLeft(hash ^ (BitOperations.RotateLeft(word * Second, 31) * First), 27) * First) + Second;
}
