namespace Ashlar.KeyValue;

/// <summary>
/// Blocks of tables (data, index, filter) within a budget of bytes; the least recently used go first. Sixteen shards, each
/// with its lock.
/// </summary>
sealed class BlockCache
{
    const int ShardCount = 16;
    readonly Shard[] shards = new Shard[ShardCount];

    public BlockCache(long capacityBytes)
    {
        for (var i = 0; i < ShardCount; i++) shards[i] = new Shard(capacityBytes / ShardCount);
    }

    public long UsedBytes => shards.Sum(shard => shard.UsedBytes);

    public long Hits => shards.Sum(shard => shard.Hits);

    public long Misses => shards.Sum(shard => shard.Misses);

    public object? Find(ulong tableId, long offset) => ShardOf(tableId, offset).Find((tableId, offset));

    public void Add(ulong tableId, long offset, object block, int sizeBytes) =>
        ShardOf(tableId, offset).Add((tableId, offset), block, sizeBytes);

    Shard ShardOf(ulong tableId, long offset) =>
        shards[(int)((((tableId * 0x9E3779B185EBCA87) ^ (ulong)offset) * 0xC2B2AE3D27D4EB4F) >> 60)];

    sealed class Shard(long capacityBytes)
    {
        const int OverheadBytes = 128;
        readonly Lock gate = new();
        readonly Dictionary<(ulong, long), LinkedListNode<Item>> items = [];
        readonly LinkedList<Item> byUse = [];

        public long UsedBytes { get; private set; }

        public long Hits { get; private set; }

        public long Misses { get; private set; }

        public object? Find((ulong, long) place)
        {
            lock (gate)
            {
                if (!items.TryGetValue(place, out var node))
                {
                    Misses++;
                    return null;
                }

                Hits++;
                if (node != byUse.First)
                {
                    byUse.Remove(node);
                    byUse.AddFirst(node);
                }

                return node.Value.Block;
            }
        }

        public void Add((ulong, long) place, object block, int sizeBytes)
        {
            var size = sizeBytes + OverheadBytes;
            if (size > capacityBytes) return;
            lock (gate)
            {
                if (items.ContainsKey(place)) return;
                while (UsedBytes + size > capacityBytes)
                {
                    var last = byUse.Last!;
                    byUse.RemoveLast();
                    items.Remove(last.Value.Place);
                    UsedBytes -= last.Value.SizeBytes;
                }

                items.Add(place, byUse.AddFirst(new Item(place, block, size)));
                UsedBytes += size;
            }
        }
    }

    readonly record struct Item((ulong, long) Place, object Block, int SizeBytes);
}
