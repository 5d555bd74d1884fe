using System.Buffers;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue;

/// <summary>A snapshot of a keyspace alone: unlike <see cref="KeyspaceSnapshot"/>, it holds what it sees.</summary>
sealed class TakenKeyspace(KeyValueSnapshot snapshot, KeyspaceIdentity identity) : IKeyValueSnapshot
{
    readonly KeyspaceSnapshot view = new(snapshot, identity);

    public byte[]? Get(ReadOnlySpan<byte> key) => view.Get(key);

    public byte[]? Get(ReadOnlySpan<byte> key, out KeyValueEntryInfo info) => view.Get(key, out info);

    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value) => view.TryGet(key, value);

    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes) =>
        view.TryGet(key, destination, out valueLengthBytes);

    public bool ContainsKey(ReadOnlySpan<byte> key) => view.ContainsKey(key);

    public bool TryGetInfo(ReadOnlySpan<byte> key, out KeyValueEntryInfo info) => view.TryGetInfo(key, out info);

    public byte[]?[] MultiGet(ReadOnlySpan<ReadOnlyMemory<byte>> keys) => view.MultiGet(keys);

    public IKeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward) => view.Scan(range, direction);

    public void Dispose() => snapshot.Dispose();
}
