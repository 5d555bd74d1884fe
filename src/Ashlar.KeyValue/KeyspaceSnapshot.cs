using System.Buffers;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue;

/// <summary>
/// A keyspace as a snapshot of its store shows it: also one that was dropped since. It holds nothing itself, and is of use as long as the
/// snapshot is not disposed.
/// </summary>
public readonly struct KeyspaceSnapshot
{
    const int StackBytes = 256;

    readonly KeyValueSnapshot snapshot;
    readonly KeyspaceIdentity identity;

    internal KeyspaceSnapshot(KeyValueSnapshot snapshot, KeyspaceIdentity identity) =>
        (this.snapshot, this.identity) = (snapshot, identity);

    /// <inheritdoc cref="KeyValueSnapshot.Get(ReadOnlySpan{byte})" />
    public byte[]? Get(ReadOnlySpan<byte> key) => snapshot.Get(identity.Store(key, stackalloc byte[StackBytes]));

    /// <inheritdoc cref="KeyValueSnapshot.TryGet(ReadOnlySpan{byte}, IBufferWriter{byte})" />
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value) =>
        snapshot.TryGet(identity.Store(key, stackalloc byte[StackBytes]), value);

    /// <inheritdoc cref="KeyValueSnapshot.Scan" />
    public KeyspaceCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward) =>
        new(snapshot.ScanAll(Keyspace.Stored(identity, range), direction));
}
