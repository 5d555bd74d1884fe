namespace Ashlar.KeyValue;

/// <summary>Order of a scan.</summary>
public enum ScanDirection
{
    /// <summary>Ascending keys.</summary>
    Forward = 0,

    /// <summary>Descending keys.</summary>
    Backward,
}

/// <summary>
/// Walks a range in key order, over the store as it was when the scan began: what expires later is still seen. Not safe for
/// concurrent callers. Until it is disposed it keeps memory and files in place that it reads from, however long that is:
/// <see cref="KeyValueStatistics.Cursors"/> counts those that are open.
/// </summary>
public sealed class KeyValueCursor : IDisposable
{
    readonly StoreState state;
    readonly ulong sequence;
    readonly KeyRange range;
    readonly ScanDirection direction;
    readonly long now;
    readonly ValueBuffer values;
    StoreVersion? version;
    EntryIterator? iterator;
    byte[] key = [];
    int keyLength;
    byte[] stored = [];
    int storedLength;
    EntryKind storedKind;
    bool hasKey;
    bool isOnEntry;

    internal KeyValueCursor(StoreState state, StoreVersion version, ulong sequence, KeyRange range, ScanDirection direction)
    {
        this.state = state;
        this.version = version;
        this.sequence = sequence;
        this.range = range;
        this.direction = direction;
        now = Expiry.Now(state.Clock);
        values = new ValueBuffer(state.Values);
        state.AddCursor();
    }

    /// <summary>The current key; valid until the next call of <see cref="MoveNext"/>.</summary>
    /// <exception cref="InvalidOperationException">The cursor is not on an entry.</exception>
    public ReadOnlySpan<byte> Key
    {
        get
        {
            RequireEntry();
            return key.AsSpan(0, keyLength);
        }
    }

    /// <summary>
    /// The current value; valid until the next call of <see cref="MoveNext"/> and not after <see cref="Dispose"/>. One that lies in
    /// a segment is read when it is first asked for: who needs keys only does not pay for values.
    /// </summary>
    /// <exception cref="InvalidOperationException">The cursor is not on an entry.</exception>
    /// <exception cref="Storage.CorruptDataException">What holds the value is damaged.</exception>
    public ReadOnlySpan<byte> Value
    {
        get
        {
            RequireEntry();
            return direction == ScanDirection.Forward
                ? values.Resolve(iterator!.Kind, iterator.Value)
                : values.Resolve(storedKind, stored.AsSpan(0, storedLength));
        }
    }

    /// <summary>Moves to the first, then to the next entry; false at the end of the range.</summary>
    /// <exception cref="ObjectDisposedException">The cursor or its store is disposed.</exception>
    /// <exception cref="Storage.CorruptDataException">What lies next is damaged.</exception>
    public bool MoveNext()
    {
        ObjectDisposedException.ThrowIf(version is null, this);
        ObjectDisposedException.ThrowIf(state.IsDisposed, typeof(KeyValueStore));
        var wasOnEntry = isOnEntry;
        isOnEntry = false;
        values.Clear();
        isOnEntry = direction == ScanDirection.Forward ? MoveForward(wasOnEntry) : MoveBackward();
        return isOnEntry;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        isOnEntry = false;
        values.Close();
        iterator?.Close();
        if (Interlocked.Exchange(ref version, null) is not { } held) return;
        held.Release();
        state.RemoveCursor();
    }

    bool MoveForward(bool wasOnEntry)
    {
        if (iterator is null)
        {
            iterator = version!.CreateIterator();
            if (range.Start is { } start) iterator.Seek(start, sequence);
            else iterator.SeekToFirst();
        }
        else if (wasOnEntry)
        {
            iterator.Next();
        }

        for (; iterator.IsValid; iterator.Next())
        {
            var candidate = iterator.Key;
            if (range.End is { } end && candidate.SequenceCompareTo(end) >= 0) return false;
            // Newest first: what is not visible yet is skipped, and what a visible newer entry of its key shadows.
            if (iterator.Sequence > sequence || (hasKey && candidate.SequenceEqual(key.AsSpan(0, keyLength)))) continue;
            KeepKey(candidate);
            if (Expiry.IsPresent(iterator.Kind, iterator.Value, now)) return true;
        }

        return false;
    }

    bool MoveBackward()
    {
        if (iterator is null)
        {
            iterator = version!.CreateIterator();
            if (range.End is { } end) iterator.SeekBefore(end);
            else iterator.SeekToLast();
        }

        while (iterator.IsValid)
        {
            if (range.Start is { } start && iterator.Key.SequenceCompareTo(start) < 0) return false;
            KeepKey(iterator.Key);
            storedKind = EntryKind.None;
            // Oldest first: the last visible one of the key is the newest.
            for (; iterator.IsValid && iterator.Key.SequenceEqual(key.AsSpan(0, keyLength)); iterator.Previous())
            {
                if (iterator.Sequence > sequence) continue;
                storedKind = iterator.Kind;
                KeepStored(iterator.Value);
            }

            if (Expiry.IsPresent(storedKind, stored.AsSpan(0, storedLength), now)) return true;
        }

        return false;
    }

    void KeepKey(ReadOnlySpan<byte> source)
    {
        if (key.Length < source.Length) key = new byte[Math.Max(64, 2 * source.Length)];
        source.CopyTo(key);
        keyLength = source.Length;
        hasKey = true;
    }

    void KeepStored(ReadOnlySpan<byte> source)
    {
        if (stored.Length < source.Length) stored = new byte[Math.Max(256, source.Length)];
        source.CopyTo(stored);
        storedLength = source.Length;
    }

    void RequireEntry()
    {
        if (!isOnEntry) throw new InvalidOperationException("The cursor is not on an entry.");
    }
}
