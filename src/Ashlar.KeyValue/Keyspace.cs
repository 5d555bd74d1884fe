using System.Buffers;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Keys of a store under a name, apart from all others and ordered by themselves. A batch may have entries of several: they share the
/// store's log, and its durability. Safe for concurrent callers.
/// </summary>
/// <remarks>Errors are those of the same calls of <see cref="KeyValueStore"/>, and <see cref="KeyspaceDroppedException"/>.</remarks>
public sealed class Keyspace : IKeyValueReader
{
    /// <summary>Longest key in a keyspace.</summary>
    public const int KeyLimitBytes = KeyValueOptions.KeyLimitBytes - KeyspaceRegion.PrefixBytes;

    const int StackBytes = 256;

    readonly KeyValueStore store;

    internal Keyspace(KeyValueStore store, KeyspaceIdentity identity) => (this.store, Identity) = (store, identity);

    /// <summary>Its name.</summary>
    public string Name => Identity.Name;

    /// <summary>Whether it was dropped: every call throws <see cref="KeyspaceDroppedException"/> then.</summary>
    public bool IsDropped => Identity.IsDropped;

    internal KeyspaceIdentity Identity { get; }

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        RequireThere();
        return store.Get(Identity.Store(key, stackalloc byte[StackBytes]));
    }

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key, out KeyValueEntryInfo info)
    {
        RequireThere();
        return store.Get(Identity.Store(key, stackalloc byte[StackBytes]), out info);
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes)
    {
        RequireThere();
        return store.TryGet(Identity.Store(key, stackalloc byte[StackBytes]), destination, out valueLengthBytes);
    }

    /// <inheritdoc />
    public bool ContainsKey(ReadOnlySpan<byte> key) => TryGetInfo(key, out _);

    /// <inheritdoc />
    public bool TryGetInfo(ReadOnlySpan<byte> key, out KeyValueEntryInfo info)
    {
        RequireThere();
        return store.TryGetInfo(Identity.Store(key, stackalloc byte[StackBytes]), out info);
    }

    /// <inheritdoc />
    public byte[]?[] MultiGet(ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        RequireThere();
        return store.MultiGet(Stored(Identity, keys));
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value)
    {
        RequireThere();
        return store.TryGet(Identity.Store(key, stackalloc byte[StackBytes]), value);
    }

    /// <summary>Writes one entry.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync)
    {
        var batch = new WriteBatch();
        batch.Put(this, key, value);
        store.Write(batch, durability);
    }

    /// <summary>Writes one entry that reads as absent once a time has passed.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync)
    {
        var batch = new WriteBatch();
        batch.Put(this, key, value, timeToLive, store.Clock);
        store.Write(batch, durability);
    }

    /// <summary>Deletes one entry; a missing one is no error.</summary>
    public void Delete(ReadOnlySpan<byte> key, Durability durability = Durability.Sync)
    {
        var batch = new WriteBatch();
        batch.Delete(this, key);
        store.Write(batch, durability);
    }

    /// <summary>Deletes all keys of a range of it, as <see cref="KeyValueStore.DeleteRange(KeyRange, Durability)"/>.</summary>
    public void DeleteRange(KeyRange range, Durability durability = Durability.Sync)
    {
        var batch = new WriteBatch();
        batch.DeleteRange(this, range);
        store.Write(batch, durability);
    }

    /// <summary>Opens a cursor over a range of it as it is now; later writes are not seen, nor that it is dropped. Dispose it.</summary>
    public KeyspaceCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward)
    {
        RequireThere();
        return new KeyspaceCursor(store.ScanAll(Stored(Identity, range), direction), Identity);
    }

    IKeyValueCursor IKeyValueReader.Scan(KeyRange range, ScanDirection direction) => Scan(range, direction);

    /// <inheritdoc cref="IKeyValueStore.PutIfAbsent(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)" />
    public bool PutIfAbsent(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync) =>
        PutIfUnchanged(key, value, 0, durability);

    /// <inheritdoc cref="IKeyValueStore.PutIfUnchanged" />
    public bool PutIfUnchanged(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong sequence, Durability durability = Durability.Sync)
    {
        var batch = new WriteBatch();
        batch.Put(this, key, value);
        return store.TryWrite(batch, new WriteConditions().RequireUnchanged(this, key, sequence), durability);
    }

    /// <inheritdoc cref="IKeyValueStore.DeleteIfUnchanged" />
    public bool DeleteIfUnchanged(ReadOnlySpan<byte> key, ulong sequence, Durability durability = Durability.Sync)
    {
        var batch = new WriteBatch();
        batch.Delete(this, key);
        return store.TryWrite(batch, new WriteConditions().RequireUnchanged(this, key, sequence), durability);
    }

    internal static ReadOnlyMemory<byte>[] Stored(KeyspaceIdentity identity, ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        var stored = new ReadOnlyMemory<byte>[keys.Length];
        for (var i = 0; i < keys.Length; i++) stored[i] = identity.Store(keys[i].Span, []).ToArray();
        return stored;
    }

    internal static KeyRange Stored(KeyspaceIdentity identity, KeyRange range) => KeyRange.Between(
        [.. identity.Prefix, .. range.Start], range.HasEnd ? [.. identity.Prefix, .. range.End] : identity.End);

    void RequireThere()
    {
        if (IsDropped) throw new KeyspaceDroppedException(Name);
    }
}
