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
/// Walks a range in key order, over the store as it was when the scan began: what expires later is still seen. Not safe for concurrent callers. Until it is
/// disposed it keeps memory and files in place that it reads from.
/// </summary>
public sealed class KeyValueCursor : IDisposable
{
    readonly StoreState state;
    readonly ulong sequence;
    readonly KeyRange range;
    readonly ScanDirection direction;
    readonly long now;
    StoreVersion? version;
    EntryIterator? iterator;
    byte[] key = [];
    int keyLength;
    byte[] value = [];
    int valueLength;
    bool hasKey;
    bool expires; // The current entry.
    bool isOnEntry;

    internal KeyValueCursor(StoreState state, StoreVersion version, ulong sequence, KeyRange range, ScanDirection direction)
    {
        this.state = state;
        this.version = version;
        this.sequence = sequence;
        this.range = range;
        this.direction = direction;
        now = Expiry.Now(state.Clock);
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
    /// The current value; valid until the next call of <see cref="MoveNext"/> and not after <see cref="Dispose"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The cursor is not on an entry.</exception>
    public ReadOnlySpan<byte> Value
    {
        get
        {
            RequireEntry();
            var stored = direction == ScanDirection.Forward ? iterator!.Value : value.AsSpan(0, valueLength);
            return expires ? Expiry.Split(stored, out _) : stored;
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
        isOnEntry = direction == ScanDirection.Forward ? MoveForward(wasOnEntry) : MoveBackward();
        return isOnEntry;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        isOnEntry = false;
        iterator?.Close();
        Interlocked.Exchange(ref version, null)?.Release();
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
            if (IsPresent(iterator.Kind, iterator.Value)) return true;
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
            var newest = EntryKind.None;
            // Oldest first: the last visible one of the key is the newest.
            for (; iterator.IsValid && iterator.Key.SequenceEqual(key.AsSpan(0, keyLength)); iterator.Previous())
            {
                if (iterator.Sequence > sequence) continue;
                newest = iterator.Kind;
                KeepValue(iterator.Value);
            }

            if (IsPresent(newest, value.AsSpan(0, valueLength))) return true;
        }

        return false;
    }

    bool IsPresent(EntryKind kind, ReadOnlySpan<byte> stored)
    {
        expires = kind == EntryKind.ExpiringPut;
        return Expiry.IsPresent(kind, now, ref stored);
    }

    void KeepKey(ReadOnlySpan<byte> source)
    {
        if (key.Length < source.Length) key = new byte[Math.Max(64, 2 * source.Length)];
        source.CopyTo(key);
        keyLength = source.Length;
        hasKey = true;
    }

    void KeepValue(ReadOnlySpan<byte> source)
    {
        if (value.Length < source.Length) value = new byte[Math.Max(256, source.Length)];
        source.CopyTo(value);
        valueLength = source.Length;
    }

    void RequireEntry()
    {
        if (!isOnEntry) throw new InvalidOperationException("The cursor is not on an entry.");
    }
}
