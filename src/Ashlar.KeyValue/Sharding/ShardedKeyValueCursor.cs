namespace Ashlar.KeyValue;

/// <summary>
/// Walks a range of all shards in key order, over the store as it was when the scan began. Not safe for concurrent callers.
/// Until it is disposed it keeps memory and files in place that it reads from.
/// </summary>
// Shards are few, so the next key is found by looking at all of them: no heap to keep.
public sealed class ShardedKeyValueCursor : IDisposable
{
    readonly ShardedKeyValueStore store;
    readonly KeyValueCursor[] cursors;
    readonly bool[] isOnEntry;
    readonly bool[] isDue;
    readonly ScanDirection direction;
    int current = -1;
    bool isSalted;
    bool isDisposed;

    internal ShardedKeyValueCursor(ShardedKeyValueStore store, KeyValueCursor[] cursors, ScanDirection direction)
    {
        this.store = store;
        this.cursors = cursors;
        this.direction = direction;
        isOnEntry = new bool[cursors.Length];
        isDue = new bool[cursors.Length];
        isDue.AsSpan().Fill(true);
    }

    /// <inheritdoc cref="KeyValueCursor.Key" />
    public ReadOnlySpan<byte> Key => Current.Key;

    /// <inheritdoc cref="KeyValueCursor.Value" />
    public ReadOnlySpan<byte> Value => isSalted ? Current.Value[SaltedValue.HeadBytes..] : Current.Value;

    /// <inheritdoc cref="KeyValueCursor.MoveNext" />
    public bool MoveNext()
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        do
        {
            current = -1;
            for (var i = 0; i < cursors.Length; i++)
            {
                if (!isDue[i]) continue;
                isOnEntry[i] = cursors[i].MoveNext();
                isDue[i] = false;
            }

            current = PickNext();
            if (current < 0) return false;
            isDue[current] = true;
            isSalted = store.IsSalted(cursors[current].Key);
        }
        while (isSalted && !PickNewestCopy());

        return true;
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

    // A salted key is looked for in all shards, so there is a cursor for each of them.
    bool PickNewestCopy()
    {
        var first = current;
        for (var i = 0; i < cursors.Length; i++)
        {
            if (!isOnEntry[i] || !cursors[i].Key.SequenceEqual(cursors[first].Key)) continue;
            isDue[i] = true;
            SaltedValue.RequireSound(cursors[i].Value, store.ShardPath(i), cursors[i].Key);
            if (SaltedValue.ReadStamp(cursors[i].Value) > SaltedValue.ReadStamp(cursors[current].Value)) current = i;
        }

        return !SaltedValue.IsDelete(cursors[current].Value);
    }
}
