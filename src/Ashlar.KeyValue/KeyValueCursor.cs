using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;

namespace Ashlar.KeyValue;

/// <summary>
/// Walks a range in key order, over the store as it was when the scan began: what expires later is still seen. Not safe for
/// concurrent callers. Until it is disposed it keeps memory and files in place that it reads from, however long that is:
/// <see cref="KeyValueStatistics.Cursors"/> counts those that are open.
/// </summary>
public sealed class KeyValueCursor : IExpiringCursor
{
    /// <summary>
    /// After so many entries of one key the next is sought: a step costs a comparison, a search some twenty, and a key may have been
    /// overwritten a million times.
    /// </summary>
    const int MaxPassed = 8;

    readonly StoreState state;
    readonly ulong sequence;
    readonly byte[]? start; // Of the range.
    readonly byte[]? end;
    readonly ScanDirection direction;
    readonly long now;
    readonly ValueBuffer values;
    StoreVersion? version;
    EntryIterator? iterator;
    TombstonePassage? tombstones; // Once there is one.

    // False before the walk begins, and after a step that failed.
    bool isPositioned;

    // Forward: the iterator is on the entry that the last step found.
    bool isIteratorOnFound;

    // Key of the last entry that the walk decided on; backward, where it failed, of the one that it was about to.
    byte[] key = [];
    int keyLength;
    byte[] stored = [];
    int storedLength;
    EntryKind storedKind;
    bool hasKey;

    // Where the walk is to begin, until it has decided on a key; null: at the range's beginning.
    byte[]? target;

    // Where values have to be waited for the walk goes ahead; the current entry is then the first of the queue.
    EntryQueue? ahead;
    bool isQueued;
    bool isOnEntry;

    internal KeyValueCursor(StoreState state, StoreVersion version, ulong sequence, KeyRange range, ScanDirection direction)
    {
        this.state = state;
        this.version = version;
        this.sequence = sequence;
        (start, end) = (range.StartKey, range.EndKey);
        this.direction = direction;
        now = Expiry.Now(state.Clock);
        values = new ValueBuffer(state.Values);
        state.AddCursor();
    }

    /// <summary>Moves of what it walks, searches included.</summary>
    internal long Steps { get; private set; }

    /// <inheritdoc />
    public ReadOnlySpan<byte> Key
    {
        get
        {
            RequireEntry();
            return isQueued ? ahead!.Key : key.AsSpan(0, keyLength);
        }
    }

    /// <inheritdoc />
    long IExpiringCursor.ExpiresAt
    {
        get
        {
            RequireEntry();
            return isQueued ? Expiry.Of(ahead!.Kind, ahead.Stored) : Expiry.Of(FoundKind, FoundStored);
        }
    }

    /// <inheritdoc />
    /// <remarks>
    /// Where values have to be waited for one after the other, the disk is asked for those of the next entries, at most for as many as
    /// were asked for before.
    /// </remarks>
    public ReadOnlySpan<byte> Value
    {
        get
        {
            RequireEntry();
            return isQueued ? values.Resolve(ahead!.Kind, ahead.Stored) : values.Resolve(FoundKind, FoundStored);
        }
    }

    /// <inheritdoc />
    public bool MoveNext()
    {
        Leave();
        if (isQueued) ahead!.RemoveFirst();
        isQueued = false;
        if (values.WantedAhead is > 0 and var wanted) LookAhead(wanted);
        isQueued = ahead is { Count: > 0 };
        isOnEntry = isQueued || Step();
        return isOnEntry;
    }

    /// <inheritdoc />
    public bool Seek(ReadOnlySpan<byte> key)
    {
        Leave();
        isQueued = false;
        ahead?.Clear();
        tombstones?.Abandon();
        isPositioned = hasKey = false;
        target = key.ToArray();
        return isOnEntry = Step();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        isOnEntry = false;
        values.Close();
        tombstones?.Abandon();
        iterator?.Close();
        if (Interlocked.Exchange(ref version, null) is not { } held) return;
        held.Release();
        state.RemoveCursor();
    }

    void Leave()
    {
        ObjectDisposedException.ThrowIf(version is null, this);
        ClosedStore.ThrowIf(state.IsDisposed);
        isOnEntry = false;
        values.Clear();
    }

    // In batches, so that values which lie beside each other are asked for as one.
    void LookAhead(int wanted)
    {
        ahead ??= new EntryQueue(ValueLookAhead.MaxEntries);
        if (ahead.Count > wanted / 2 || !isPositioned) return;
        try
        {
            while (ahead.Count < wanted && !ahead.IsFull && Step())
            {
                ahead.Add(key.AsSpan(0, keyLength), FoundKind, FoundStored);
                values.Prefetch(FoundKind, FoundStored);
            }
        }
        catch (Exception failure) when (failure is Storage.StorageException or Storage.CorruptDataException)
        {
            // What nobody asked for must not fail what somebody did: the walk takes the step again when the queue is empty.
        }

        values.EndPrefetch();
    }

    TombstonePassage Tombstones => tombstones ??= new(state, version!, sequence, now, direction == ScanDirection.Forward);

    EntryKind FoundKind => direction == ScanDirection.Forward ? iterator!.Kind : storedKind;

    ReadOnlySpan<byte> FoundStored => direction == ScanDirection.Forward ? iterator!.Value : stored.AsSpan(0, storedLength);

    // To the next entry that the cursor sees; false at the end of the range.
    bool Step()
    {
        if (!isPositioned) Position();
        isPositioned = false;
        try
        {
            var found = direction == ScanDirection.Forward ? StepForward() : StepBackward();
            isPositioned = true;
            return found;
        }
        finally
        {
            if (!isPositioned) tombstones?.Abandon();
        }
    }

    void Position()
    {
        iterator ??= version!.CreateIterator(sequence);
        isIteratorOnFound = false;
        if (direction == ScanDirection.Forward)
        {
            // No entry has sequence 0: that is the first one of the next key.
            if (hasKey) iterator.Seek(key.AsSpan(0, keyLength), 0);
            else if (Later(start, target) is { } first) iterator.Seek(first, sequence);
            else iterator.SeekToFirst();
        }
        else
        {
            if (hasKey) iterator.SeekBefore([.. key.AsSpan(0, keyLength), 0]);
            else if (Earlier(end, target is null ? null : DeletedRange.Behind(target)) is { } bound) iterator.SeekBefore(bound);
            else iterator.SeekToLast();
        }
    }

    bool StepForward()
    {
        if (isIteratorOnFound)
        {
            isIteratorOnFound = false;
            Next();
        }

        var passed = 0; // Entries of one key that tell nothing.
        var mayOthersSee = false; // A put of the key.
        while (iterator!.IsValid)
        {
            var candidate = iterator.Key;
            if (end is not null && candidate.SequenceCompareTo(end) >= 0)
            {
                tombstones?.EndAtBound(end);
                return false;
            }

            // Newest first: what is not visible yet is skipped, and what a visible newer entry of its key shadows.
            var isKnown = hasKey && candidate.SequenceEqual(key.AsSpan(0, keyLength));
            if (isKnown || iterator.Sequence > sequence)
            {
                passed++;
                if (!isKnown && (passed == MaxPassed || iterator.Kind.IsPut()))
                {
                    mayOthersSee = true;
                    tombstones?.EndAt(candidate);
                }

                if (passed < MaxPassed) Next();
                else SeekPast(isKnown, ref passed);
                continue;
            }

            passed = 0;
            KeepKey(candidate);
            if (Expiry.IsPresent(iterator.Kind, iterator.Value, now))
            {
                tombstones?.EndAt(candidate);
                isIteratorOnFound = true;
                return true;
            }

            if (mayOthersSee || iterator.Kind.IsPut()) // What has expired, too.
            {
                mayOthersSee = false;
                tombstones?.EndAt(candidate);
            }
            else if (Tombstones.TryPass(candidate, out var next))
            {
                if (next is null) return false;
                Steps++;
                iterator.Seek(next, ulong.MaxValue);
                continue;
            }

            Next();
        }

        tombstones?.EndAtBound(null);
        return false;
    }

    bool StepBackward()
    {
        while (iterator!.IsValid)
        {
            if (start is not null && iterator.Key.SequenceCompareTo(start) < 0)
            {
                tombstones?.EndAtBound(start);
                return false;
            }

            KeepKey(iterator.Key);
            storedKind = EntryKind.None;
            var mayOthersSee = false; // A put of the key.
            var passed = 0;
            // Oldest first: the last visible one of the key is the newest.
            while (iterator.IsValid && iterator.Key.SequenceEqual(key.AsSpan(0, keyLength)))
            {
                if (++passed > MaxPassed)
                {
                    mayOthersSee |= SeekNewest();
                    break;
                }

                if (iterator.Sequence <= sequence)
                {
                    storedKind = iterator.Kind;
                    KeepStored(iterator.Value);
                }
                else
                {
                    mayOthersSee |= iterator.Kind.IsPut();
                }

                Steps++;
                iterator.Previous();
            }

            if (Expiry.IsPresent(storedKind, stored.AsSpan(0, storedLength), now))
            {
                tombstones?.EndAt(key.AsSpan(0, keyLength));
                return true;
            }

            if (mayOthersSee || storedKind.IsPut()) // What has expired, too.
            {
                tombstones?.EndAt(key.AsSpan(0, keyLength));
            }
            else if (storedKind != EntryKind.None && Tombstones.TryPass(key.AsSpan(0, keyLength), out var next))
            {
                Steps++;
                iterator.SeekBefore(next!);
            }
        }

        tombstones?.EndAtBound([]);
        return false;
    }

    static byte[]? Later(byte[]? left, byte[]? right) =>
        left is null || (right is not null && KeyOrder.Instance.Compare(right, left) > 0) ? right : left;

    static byte[]? Earlier(byte[]? left, byte[]? right) =>
        left is null || (right is not null && KeyOrder.Instance.Compare(right, left) < 0) ? right : left;

    void Next()
    {
        Steps++;
        iterator!.Next();
    }

    // Forward, over what is left of a key: to the newest entry of it that is visible, and where that is known, to the next key.
    void SeekPast(bool isKnown, ref int passed)
    {
        passed = 0;
        Steps++;
        if (isKnown)
        {
            iterator!.Seek(key.AsSpan(0, keyLength), 0);
            return;
        }

        iterator!.Seek(iterator.Key.ToArray(), sequence); // The key would move under the search.
    }

    // Backward: the newest visible entry of the key, then the key before it. True if there are newer ones.
    bool SeekNewest()
    {
        Steps += 2;
        var current = key.AsSpan(0, keyLength);
        iterator!.Seek(current, ulong.MaxValue);
        var hasNewer = iterator.IsValid && iterator.Sequence > sequence;
        if (hasNewer) iterator.Seek(current, sequence);
        if (iterator.IsValid && iterator.Key.SequenceEqual(current))
        {
            storedKind = iterator.Kind;
            KeepStored(iterator.Value);
        }

        iterator.SeekBefore(current);
        return hasNewer;
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
