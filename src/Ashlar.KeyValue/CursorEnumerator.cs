namespace Ashlar.KeyValue;

/// <summary>
/// Walks a cursor by <c>foreach</c>, without an allocation for each entry; the cursor is disposed at the end of the loop, however it ends.
/// </summary>
public readonly ref struct CursorEnumerator
{
    readonly IKeyValueCursor cursor;

    internal CursorEnumerator(IKeyValueCursor cursor) => this.cursor = cursor;

    /// <summary>The entry that the last step went to.</summary>
    public CursorEntry Current => new(cursor);

    /// <inheritdoc cref="IKeyValueCursor.MoveNext" />
    public bool MoveNext() => cursor.MoveNext();

    /// <summary>Disposes the cursor.</summary>
    public void Dispose() => cursor.Dispose();
}

/// <summary>The entry that a cursor is on; valid until its next move.</summary>
public readonly ref struct CursorEntry
{
    readonly IKeyValueCursor cursor;

    internal CursorEntry(IKeyValueCursor cursor) => this.cursor = cursor;

    /// <inheritdoc cref="IKeyValueCursor.Key" />
    public ReadOnlySpan<byte> Key => cursor.Key;

    /// <inheritdoc cref="IKeyValueCursor.Value" />
    public ReadOnlySpan<byte> Value => cursor.Value;

    /// <summary>The entry in memory of its own.</summary>
    public KeyValueEntry ToEntry() => new(cursor.Key.ToArray(), cursor.Value.ToArray());
}

/// <summary>An entry in memory of its own.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value.</param>
public readonly record struct KeyValueEntry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value);
