using System.Buffers.Binary;
using Ashlar.KeyValue.Caching.Entries;

namespace Ashlar.KeyValue.Caching.Eviction;

// A record of the eviction queue, version 1: the store's order of keys is the order of eviction. Behind the prefix and kind 3:
//   key    0           8        16
//          +-----------+--------+     ExpiresAt of the entry, or all bits set if it has none; Number of the entry. Big-endian.
//          | ExpiresAt | Number |
//          +-----------+--------+
//   value  0           4
//          +-----------+----------+   CostBytes: what the entry takes, this record included. EntryKey: its key in the store, without the
//          | CostBytes | EntryKey |   prefix. Little-endian.
//          +-----------+----------+
static class QueueRecord
{
    public const int MaxKeyBytes = KeyValueCacheOptions.KeyPrefixLimitBytes + 1 + KeyTailBytes;

    public const int ValueHeadBytes = 4;

    /// <summary>Longest value of a record.</summary>
    public const int MaxValueBytes = ValueHeadBytes + 1 + CacheKeys.MaxTextBytes;

    const int KeyTailBytes = 16, NumberOffset = 8;

    /// <summary>What an entry takes in the store: key and value, and those of its record.</summary>
    public static int CostOf(int prefixBytes, int storeKeyBytes, int valueBytes) =>
        storeKeyBytes + valueBytes + prefixBytes + 1 + KeyTailBytes + ValueHeadBytes + (storeKeyBytes - prefixBytes);

    /// <summary>Writes the key of an entry's record; gives its length.</summary>
    public static int WriteKey(CacheKeys keys, in EntryHeader header, Span<byte> target)
    {
        var start = keys.WriteQueuePrefix(target);
        BinaryPrimitives.WriteUInt64BigEndian(target[start..], header.ExpiresAt == 0 ? ulong.MaxValue : (ulong)header.ExpiresAt);
        BinaryPrimitives.WriteUInt64BigEndian(target[(start + NumberOffset)..], header.Number);
        return start + KeyTailBytes;
    }

    /// <summary>Writes the value of an entry's record; gives its length.</summary>
    public static int WriteValue(CacheKeys keys, ReadOnlySpan<byte> storeKey, int costBytes, Span<byte> target)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, costBytes);
        storeKey[keys.PrefixBytes..].CopyTo(target[ValueHeadBytes..]);
        return ValueHeadBytes + storeKey.Length - keys.PrefixBytes;
    }

    /// <summary>The number of the entry that a record belongs to, and what it takes; false if it is no record.</summary>
    public static bool TryRead(CacheKeys keys, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, out ulong number, out int costBytes)
    {
        (number, costBytes) = (0, 0);
        if (key.Length != keys.PrefixBytes + 1 + KeyTailBytes) return false;
        if (value.Length <= ValueHeadBytes || value.Length - ValueHeadBytes + keys.PrefixBytes > CacheKeys.MaxBytes) return false;
        number = BinaryPrimitives.ReadUInt64BigEndian(key[(keys.PrefixBytes + 1 + NumberOffset)..]);
        costBytes = BinaryPrimitives.ReadInt32LittleEndian(value);
        return costBytes > 0;
    }
}
