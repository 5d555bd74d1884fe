using System.Buffers;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

/// <summary>
/// A sharded store at one point in time, the same for all shards. Safe for concurrent callers. Until it is disposed,
/// compaction keeps the entries that it can read.
/// </summary>
public sealed class ShardedKeyValueSnapshot : IKeyValueSnapshot
{
    readonly ShardedKeyValueStore store;
    readonly KeyValueSnapshot[] shards;

    internal ShardedKeyValueSnapshot(ShardedKeyValueStore store, KeyValueSnapshot[] shards)
    {
        this.store = store;
        this.shards = shards;
    }

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key) => Get(key, out _);

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key, out KeyValueEntryInfo info)
    {
        if (!store.IsSalted(key)) return shards[store.GetShard(key)].Get(key, out info);
        return store.TryGetNewest(new SnapshotReader(shards), key, out var value, out info) ? value.ToArray() : null;
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!store.IsSalted(key)) return shards[store.GetShard(key)].TryGet(key, value);
        if (!store.TryGetNewest(new SnapshotReader(shards), key, out var found)) return false;
        value.Write(found);
        return true;
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes)
    {
        if (!store.IsSalted(key)) return shards[store.GetShard(key)].TryGet(key, destination, out valueLengthBytes);
        var isThere = store.TryGetNewest(new SnapshotReader(shards), key, out var found);
        valueLengthBytes = found.Length;
        return isThere && found.TryCopyTo(destination);
    }

    /// <inheritdoc />
    public bool ContainsKey(ReadOnlySpan<byte> key) => TryGetInfo(key, out _);

    /// <inheritdoc />
    public bool TryGetInfo(ReadOnlySpan<byte> key, out KeyValueEntryInfo info) => store.IsSalted(key)
        ? store.TryGetNewest(new SnapshotReader(shards), key, out _, out info)
        : shards[store.GetShard(key)].TryGetInfo(key, out info);

    /// <inheritdoc />
    public byte[]?[] MultiGet(ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        var values = new byte[]?[keys.Length];
        var indexes = new List<int>[shards.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            var shard = store.GetShard(keys[i].Span);
            if (shard < 0) values[i] = Get(keys[i].Span);
            else (indexes[shard] ??= []).Add(i);
        }

        for (var shard = 0; shard < shards.Length; shard++)
        {
            if (indexes[shard] is not { } own) continue;
            var ofShard = new ReadOnlyMemory<byte>[own.Count];
            for (var i = 0; i < ofShard.Length; i++) ofShard[i] = keys[own[i]];
            var found = shards[shard].MultiGet(ofShard);
            for (var i = 0; i < found.Length; i++) values[own[i]] = found[i];
        }

        return values;
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

    IKeyValueCursor IKeyValueReader.Scan(KeyRange range, ScanDirection direction) => Scan(range, direction);

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
