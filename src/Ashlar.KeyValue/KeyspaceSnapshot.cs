using System.Buffers;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue;

/// <summary>
/// A keyspace as a snapshot of its store shows it: also one that was dropped since. It holds nothing itself, and is of use as long as the
/// snapshot is not disposed.
/// </summary>
public readonly struct KeyspaceSnapshot : IKeyValueReader
{
    const int StackBytes = 256;

    readonly KeyValueSnapshot snapshot;
    readonly KeyspaceIdentity identity;

    internal KeyspaceSnapshot(KeyValueSnapshot snapshot, KeyspaceIdentity identity) =>
        (this.snapshot, this.identity) = (snapshot, identity);

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key) => snapshot.Get(identity.Store(key, stackalloc byte[StackBytes]));

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key, out KeyValueEntryInfo info) =>
        snapshot.Get(identity.Store(key, stackalloc byte[StackBytes]), out info);

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value) =>
        snapshot.TryGet(identity.Store(key, stackalloc byte[StackBytes]), value);

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes) =>
        snapshot.TryGet(identity.Store(key, stackalloc byte[StackBytes]), destination, out valueLengthBytes);

    /// <inheritdoc />
    public bool ContainsKey(ReadOnlySpan<byte> key) => TryGetInfo(key, out _);

    /// <inheritdoc />
    public bool TryGetInfo(ReadOnlySpan<byte> key, out KeyValueEntryInfo info) =>
        snapshot.TryGetInfo(identity.Store(key, stackalloc byte[StackBytes]), out info);

    /// <inheritdoc />
    public byte[]?[] MultiGet(ReadOnlySpan<ReadOnlyMemory<byte>> keys) => snapshot.MultiGet(Keyspace.Stored(identity, keys));

    /// <inheritdoc cref="KeyValueSnapshot.Scan" />
    public KeyspaceCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward) =>
        new(snapshot.ScanAll(Keyspace.Stored(identity, range), direction), identity);

    IKeyValueCursor IKeyValueReader.Scan(KeyRange range, ScanDirection direction) => Scan(range, direction);
}
