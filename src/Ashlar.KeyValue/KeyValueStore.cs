using System.Buffers;

namespace Ashlar.KeyValue;

/// <summary>
/// A durable, ordered key-value store in one directory, for one process. Keys are 1 to 65,535 bytes and ordered as unsigned
/// bytes; values are 0 bytes to 64 MiB. Safe for concurrent callers.
/// </summary>
public sealed class KeyValueStore : IDisposable, IAsyncDisposable
{
    /// <summary>Opens, or creates, the store in a directory.</summary>
    public static KeyValueStore Open(string directory, KeyValueOptions? options = null) => throw new NotImplementedException();

    /// <summary>Reads a value; null when the key is absent.</summary>
    public byte[]? Get(ReadOnlySpan<byte> key) => throw new NotImplementedException();

    /// <summary>Reads a value into a writer without allocating; false when the key is absent.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value) => throw new NotImplementedException();

    /// <summary>Writes one entry.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync) =>
        throw new NotImplementedException();

    /// <summary>Deletes one entry; a missing one is no error.</summary>
    public void Delete(ReadOnlySpan<byte> key, Durability durability = Durability.Sync) => throw new NotImplementedException();

    /// <summary>Applies a batch atomically. The batch may be reused afterwards.</summary>
    public void Write(WriteBatch batch, Durability durability = Durability.Sync) => throw new NotImplementedException();

    /// <summary>Applies a batch atomically; many writes may be outstanding from one thread and share one flush.</summary>
    public ValueTask WriteAsync(WriteBatch batch, Durability durability = Durability.Sync, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Makes every write that completed before this call durable.</summary>
    public void Sync() => throw new NotImplementedException();

    /// <summary>Opens a cursor over a range as it is now; later writes are not seen. Dispose it.</summary>
    public KeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward) => throw new NotImplementedException();

    /// <summary>Takes a snapshot: the store as it is now, for reading. Dispose it.</summary>
    public KeyValueSnapshot CreateSnapshot() => throw new NotImplementedException();

    /// <inheritdoc />
    public void Dispose() => throw new NotImplementedException();

    /// <inheritdoc />
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
