using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Salting;

// What a shard holds for a key under the salted prefix, format version 1. Little-endian. The value follows.
//   0       8      9
//   +-------+------+---------+
//   | Stamp | Kind | Value.. |   Kind 1 is a put, 2 a delete.
//   +-------+------+---------+
// Of the copies in the shards the one with the largest stamp counts.
static class SaltedValue
{
    public const int HeadBytes = 9;
    const byte Put = 1, Delete = 2;

    public static void Write(Span<byte> target, ulong stamp, bool isDelete, ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, stamp);
        target[8] = isDelete ? Delete : Put;
        value.CopyTo(target[HeadBytes..]);
    }

    public static ulong ReadStamp(ReadOnlySpan<byte> stored) => BinaryPrimitives.ReadUInt64LittleEndian(stored);

    public static bool IsDelete(ReadOnlySpan<byte> stored) => stored[8] == Delete;

    public static bool IsSound(ReadOnlySpan<byte> stored) => stored.Length >= HeadBytes && stored[8] is Put or Delete;

    public static void RequireSound(ReadOnlySpan<byte> stored, string shardPath, ReadOnlySpan<byte> key)
    {
        if (!IsSound(stored)) throw Unsound(shardPath, key);
    }

    public static CorruptDataException Unsound(string shardPath, ReadOnlySpan<byte> key) => new(
        shardPath, 0, $"the copy of key {Convert.ToHexStringLower(key)} has no stamp, which every key under the salted prefix has");
}
