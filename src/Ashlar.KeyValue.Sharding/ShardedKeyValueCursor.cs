using Ashlar.KeyValue.Sharding.Salting;

namespace Ashlar.KeyValue.Sharding;

/// <summary>
/// Walks a range of all shards in key order, over the store as it was when the scan began. Not safe for concurrent callers.
/// Until it is disposed it keeps memory and files in place that it reads from.
/// </summary>
// Shards are few, so the next key is found by looking at all of them: no heap to keep.
public sealed class ShardedKeyValueCursor : IKeyValueCursor
{
    readonly ShardedKeyValueStore store;
    readonly KeyValueCursor[] cursors;
    readonly bool[] isOnEntry;
    readonly bool[] isDue;
    readonly bool[] isSought;
    readonly ScanDirection direction;
    byte[]? target;
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
        isSought = new bool[cursors.Length];
        isDue.AsSpan().Fill(true);
    }

    /// <inheritdoc />
    public ReadOnlySpan<byte> Key => Current.Key;

    /// <inheritdoc />
    public ReadOnlySpan<byte> Value => isSalted ? Current.Value[SaltedValue.HeadBytes..] : Current.Value;

    /// <inheritdoc />
    public bool MoveNext()
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        current = -1;
        return Step();
    }

    /// <inheritdoc />
    public bool Seek(ReadOnlySpan<byte> key)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        current = -1;
        // Each shard's cursor that has not been sought before a failure is by the next step.
        target = key.ToArray();
        isDue.AsSpan().Fill(true);
        isSought.AsSpan().Fill(true);
        return Step();
    }

    // Whatever may fail comes before anything is marked as due: a step that failed is taken again as it was.
    bool Step()
    {
        while (true)
        {
            Advance();
            var next = PickNext();
            if (next < 0) return false;
            isSalted = store.IsSalted(cursors[next].Key);
            if (isSalted) next = NewestCopy(next);
            var isThere = !isSalted || !SaltedValue.IsDelete(cursors[next].Value);
            MarkDue(next);
            if (!isThere) continue;
            current = next;
            return true;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        isDisposed = true;
        current = -1;
        foreach (var cursor in cursors) cursor.Dispose();
    }

    KeyValueCursor Current => current >= 0 ? cursors[current] : throw new InvalidOperationException("The cursor is not on an entry.");

    void Advance()
    {
        for (var i = 0; i < cursors.Length; i++)
        {
            if (!isDue[i]) continue;
            if (isSought[i])
            {
                isSought[i] = false; // Should this fail, a move makes good for it.
                isOnEntry[i] = cursors[i].Seek(target);
            }
            else
            {
                isOnEntry[i] = cursors[i].MoveNext();
            }

            isDue[i] = false;
        }
    }

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
    int NewestCopy(int first)
    {
        var newest = first;
        for (var i = 0; i < cursors.Length; i++)
        {
            if (!IsOnKeyOf(first, i)) continue;
            SaltedValue.RequireSound(cursors[i].Value, store.ShardPath(i), cursors[i].Key);
            if (SaltedValue.ReadStamp(cursors[i].Value) > SaltedValue.ReadStamp(cursors[newest].Value)) newest = i;
        }

        return newest;
    }

    // Older copies of the same key are passed with the newest.
    void MarkDue(int chosen)
    {
        for (var i = 0; i < cursors.Length; i++) isDue[i] = i == chosen || (isSalted && IsOnKeyOf(chosen, i));
    }

    bool IsOnKeyOf(int chosen, int i) => isOnEntry[i] && cursors[i].Key.SequenceEqual(cursors[chosen].Key);
}
