using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue;

/// <summary>Walks a range of a keyspace in key order, as <see cref="KeyValueCursor"/> walks one of a store.</summary>
public sealed class KeyspaceCursor : IKeyValueCursor
{
    readonly IKeyValueCursor cursor;
    readonly KeyspaceIdentity identity;

    internal KeyspaceCursor(IKeyValueCursor cursor, KeyspaceIdentity identity) => (this.cursor, this.identity) = (cursor, identity);

    /// <inheritdoc />
    public ReadOnlySpan<byte> Key => cursor.Key[KeyspaceRegion.PrefixBytes..];

    /// <inheritdoc />
    public ReadOnlySpan<byte> Value => cursor.Value;

    /// <inheritdoc />
    public bool MoveNext() => cursor.MoveNext();

    /// <inheritdoc />
    public bool Seek(ReadOnlySpan<byte> key) => cursor.Seek(identity.Store(key, stackalloc byte[256]));

    /// <inheritdoc />
    public void Dispose() => cursor.Dispose();
}
