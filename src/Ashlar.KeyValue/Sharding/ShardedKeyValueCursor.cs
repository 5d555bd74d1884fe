namespace Ashlar.KeyValue;

/// <summary>
/// Walks a range of all shards in key order, over the store as it was when the scan began. Not safe for concurrent callers.
/// Until it is disposed it keeps memory and files in place that it reads from.
/// </summary>
// Shards are few, so the next key is found by looking at all of them: no heap to keep.
public sealed class ShardedKeyValueCursor : IDisposable
{
    readonly KeyValueCursor[] cursors;
    readonly bool[] isOnEntry;
    readonly ScanDirection direction;
    int current = -1;
    bool isStarted;
    bool isDisposed;

    internal ShardedKeyValueCursor(KeyValueCursor[] cursors, ScanDirection direction)
    {
        this.cursors = cursors;
        this.direction = direction;
        isOnEntry = new bool[cursors.Length];
    }

    /// <inheritdoc cref="KeyValueCursor.Key" />
    public ReadOnlySpan<byte> Key => Current.Key;

    /// <inheritdoc cref="KeyValueCursor.Value" />
    public ReadOnlySpan<byte> Value => Current.Value;

    /// <inheritdoc cref="KeyValueCursor.MoveNext" />
    public bool MoveNext()
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (!isStarted)
        {
            for (var i = 0; i < cursors.Length; i++) isOnEntry[i] = cursors[i].MoveNext();
            isStarted = true;
        }
        else if (current >= 0)
        {
            isOnEntry[current] = cursors[current].MoveNext();
        }

        current = PickNext();
        return current >= 0;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        isDisposed = true;
        current = -1;
        foreach (var cursor in cursors) cursor.Dispose();
    }

    KeyValueCursor Current => current >= 0 ? cursors[current] : throw new InvalidOperationException("The cursor is not on an entry.");

    int PickNext()
    {
        var best = -1;
        for (var i = 0; i < cursors.Length; i++)
        {
            if (!isOnEntry[i]) continue;
            if (best < 0)
            {
                best = i;
                continue;
            }

            var order = cursors[i].Key.SequenceCompareTo(cursors[best].Key);
            if (direction == ScanDirection.Forward ? order < 0 : order > 0) best = i;
        }

        return best;
    }
}
