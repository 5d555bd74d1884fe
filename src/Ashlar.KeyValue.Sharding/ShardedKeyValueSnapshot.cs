using System.Buffers;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

/// <summary>
/// A sharded store at one point in time, the same for all shards. Safe for concurrent callers. Until it is disposed,
/// compaction keeps the entries that it can read.
/// </summary>
public sealed class ShardedKeyValueSnapshot : IDisposable
{
    readonly ShardedKeyValueStore store;
    readonly KeyValueSnapshot[] shards;

    internal ShardedKeyValueSnapshot(ShardedKeyValueStore store, KeyValueSnapshot[] shards)
    {
        this.store = store;
        this.shards = shards;
    }

    /// <inheritdoc cref="KeyValueSnapshot.Get(ReadOnlySpan{byte})" />
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        if (!store.IsSalted(key)) return shards[store.GetShard(key)].Get(key);
        return store.TryGetNewest(new SnapshotReader(shards), key, out var value) ? value.ToArray() : null;
    }

    /// <inheritdoc cref="KeyValueSnapshot.TryGet(ReadOnlySpan{byte}, IBufferWriter{byte})" />
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!store.IsSalted(key)) return shards[store.GetShard(key)].TryGet(key, value);
        if (!store.TryGetNewest(new SnapshotReader(shards), key, out var found)) return false;
        value.Write(found);
        return true;
    }

    /// <inheritdoc cref="KeyValueSnapshot.TryGet(ReadOnlySpan{byte}, Span{byte}, out int)" />
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes)
    {
        if (!store.IsSalted(key)) return shards[store.GetShard(key)].TryGet(key, destination, out valueLengthBytes);
        var isThere = store.TryGetNewest(new SnapshotReader(shards), key, out var found);
        valueLengthBytes = found.Length;
        found[..Math.Min(found.Length, destination.Length)].CopyTo(destination);
        return isThere;
    }

    /// <summary>Opens a cursor over a range as it was. The cursor may outlive the snapshot.</summary>
    public ShardedKeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward)
    {
        EnumArgument.RequireDefined(direction);
        if (store.GetOnlyShard(range) is >= 0 and var only)
            return new ShardedKeyValueCursor(store, [shards[only].Scan(range, direction)], direction);
        var cursors = new KeyValueCursor[shards.Length];
        var opened = 0;
        try
        {
            for (; opened < shards.Length; opened++) cursors[opened] = shards[opened].Scan(range, direction);
            return new ShardedKeyValueCursor(store, cursors, direction);
        }
        catch
        {
            for (var i = 0; i < opened; i++) cursors[i].Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var shard in shards) shard.Dispose();
    }

    readonly struct SnapshotReader(KeyValueSnapshot[] shards) : ShardedKeyValueStore.IShardReader
    {
        public bool TryGet(int shard, ReadOnlySpan<byte> key, IBufferWriter<byte> value) => shards[shard].TryGet(key, value);
    }
}
