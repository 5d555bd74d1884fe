using System.Buffers;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue;

/// <summary>
/// A keyspace as a transaction sees it, with what it writes there. It holds nothing itself, and is of use as long as the transaction is
/// open.
/// </summary>
public readonly struct KeyspaceTransaction : IKeyValueReader
{
    const int StackBytes = 256;

    readonly KeyValueTransaction transaction;
    readonly KeyspaceIdentity identity;

    internal KeyspaceTransaction(KeyValueTransaction transaction, KeyspaceIdentity identity) =>
        (this.transaction, this.identity) = (transaction, identity);

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key) => transaction.Get(identity.Store(key, stackalloc byte[StackBytes]));

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key, out KeyValueEntryInfo info) =>
        transaction.Get(identity.Store(key, stackalloc byte[StackBytes]), out info);

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value) =>
        transaction.TryGet(identity.Store(key, stackalloc byte[StackBytes]), value);

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes) =>
        transaction.TryGet(identity.Store(key, stackalloc byte[StackBytes]), destination, out valueLengthBytes);

    /// <inheritdoc />
    public bool ContainsKey(ReadOnlySpan<byte> key) => TryGetInfo(key, out _);

    /// <inheritdoc />
    public bool TryGetInfo(ReadOnlySpan<byte> key, out KeyValueEntryInfo info) =>
        transaction.TryGetInfo(identity.Store(key, stackalloc byte[StackBytes]), out info);

    /// <inheritdoc />
    public byte[]?[] MultiGet(ReadOnlySpan<ReadOnlyMemory<byte>> keys) => transaction.MultiGet(Keyspace.Stored(identity, keys));

    /// <inheritdoc cref="KeyValueTransaction.Scan" />
    public IKeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward) =>
        new KeyspaceCursor(transaction.ScanAll(Keyspace.Stored(identity, range), direction), identity);

    /// <inheritdoc cref="KeyValueTransaction.Put(ReadOnlySpan{byte}, ReadOnlySpan{byte})" />
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => transaction.Put(identity, key, value);

    /// <inheritdoc cref="KeyValueTransaction.Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, TimeSpan)" />
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive) =>
        transaction.Put(identity, key, value, timeToLive);

    /// <inheritdoc cref="KeyValueTransaction.Delete(ReadOnlySpan{byte})" />
    public void Delete(ReadOnlySpan<byte> key) => transaction.Delete(identity, key);
}
