using Ashlar.KeyValue.SortedTable;

namespace Ashlar.KeyValue.Sharding;

/// <summary>Where a key lives, part of the format of the file SHARDS (hash 1).</summary>
static class ShardHash
{
    // Filters use KeyHash as it is. Mixed once more, so that the keys of one shard are not alike to its filters.
    public static int Place(ReadOnlySpan<byte> key, int shardCount)
    {
        var hash = KeyHash.Compute(key);
        hash ^= hash >> 33;
        hash *= 0xFF51AFD7ED558CCD;
        hash ^= hash >> 33;
        hash *= 0xC4CEB9FE1A85EC53;
        hash ^= hash >> 33;
        return (int)Math.BigMul(hash, (ulong)shardCount, out _);
    }
}
