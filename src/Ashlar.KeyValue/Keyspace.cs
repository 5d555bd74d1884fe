using System.Buffers;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Keys of a store under a name, apart from all others and ordered by themselves. A batch may have entries of several: they share the
/// store's log, and its durability. Safe for concurrent callers.
/// </summary>
/// <remarks>Errors are those of the same calls of <see cref="KeyValueStore"/>, and <see cref="KeyspaceDroppedException"/>.</remarks>
public sealed partial class Keyspace : IKeyspace
{
    /// <summary>Longest key in a keyspace.</summary>
    public const int KeyLimitBytes = KeyValueOptions.KeyLimitBytes - KeyspaceRegion.PrefixBytes;

    const int StackBytes = 256;

    readonly KeyValueStore store;

    internal Keyspace(KeyValueStore store, KeyspaceIdentity identity) => (this.store, Identity) = (store, identity);

    /// <summary>Its name.</summary>
    public string Name => Identity.Name;

    /// <summary>The store that it is in, which it shares the log, transactions and all upkeep with.</summary>
    public KeyValueStore Store => store;

    /// <summary>Longest key that it takes: <see cref="KeyValueStore.MaxKeyBytes"/> without the eight bytes that stand for it.</summary>
    public int MaxKeyBytes => store.MaxKeyspaceKeyBytes;

    /// <summary>Longest value that it takes: <see cref="KeyValueOptions.MaxValueBytes"/>.</summary>
    public int MaxValueBytes => store.MaxValueBytes;

    /// <summary>Whether it was dropped: what reads or writes entries of it throws <see cref="KeyspaceDroppedException"/> then.</summary>
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

    /// <summary>Opens a cursor over a range of it as it is now; later writes are not seen, nor that it is dropped. Dispose it.</summary>
    public KeyspaceCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward)
    {
        RequireThere();
        return new KeyspaceCursor(store.ScanAll(Stored(Identity, range), direction), Identity);
    }

    IKeyValueCursor IKeyValueReader.Scan(KeyRange range, ScanDirection direction) => Scan(range, direction);

    /// <summary>Takes a snapshot: the keyspace as it is now, for reading, also once it is dropped. Dispose it.</summary>
    public IKeyValueSnapshot CreateSnapshot()
    {
        RequireThere();
        return new TakenKeyspace(store.CreateSnapshot(), Identity);
    }

    /// <inheritdoc cref="KeyValueStore.TryGetCached(ReadOnlySpan{byte}, IBufferWriter{byte})" />
    public CachedGet TryGetCached(ReadOnlySpan<byte> key, IBufferWriter<byte> value)
    {
        RequireThere();
        return store.TryGetCached(Identity.Store(key, stackalloc byte[StackBytes]), value);
    }

    /// <inheritdoc cref="KeyValueStore.TryGetCached(ReadOnlySpan{byte}, Span{byte}, out int)" />
    public CachedGet TryGetCached(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes)
    {
        RequireThere();
        return store.TryGetCached(Identity.Store(key, stackalloc byte[StackBytes]), destination, out valueLengthBytes);
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
