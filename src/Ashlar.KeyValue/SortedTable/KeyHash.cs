using System.Buffers.Binary;
using System.Numerics;

namespace Ashlar.KeyValue.SortedTable;

/// <summary>
/// The 64-bit hash of keys in filters, part of the table format: each 8 bytes (little-endian, the last ones filled with
/// zeros) are mixed in by multiply, rotate, multiply; the length is mixed in last.
/// </summary>
static class KeyHash
{
    const ulong First = 0x9E3779B185EBCA87;
    const ulong Second = 0xC2B2AE3D27D4EB4F;

    public static ulong Compute(ReadOnlySpan<byte> key)
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
