using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue;

/// <summary>Walks a range of a keyspace in key order, as <see cref="KeyValueCursor"/> walks one of a store.</summary>
public sealed class KeyspaceCursor : IDisposable
{
    readonly KeyValueCursor cursor;

    internal KeyspaceCursor(KeyValueCursor cursor) => this.cursor = cursor;

    /// <inheritdoc cref="KeyValueCursor.Key" />
    public ReadOnlySpan<byte> Key => cursor.Key[KeyspaceRegion.PrefixBytes..];

    /// <inheritdoc cref="KeyValueCursor.Value" />
    public ReadOnlySpan<byte> Value => cursor.Value;

    /// <inheritdoc cref="KeyValueCursor.MoveNext" />
    public bool MoveNext() => cursor.MoveNext();

    /// <inheritdoc />
    public void Dispose() => cursor.Dispose();
}
