using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.MemTables;

namespace Ashlar.KeyValue.Transactions;

/// <summary>
/// Walks a range as a transaction sees it: its own writes up to when the scan began, and beneath them the store as of its snapshot. What it
/// passes counts as read.
/// </summary>
sealed class TransactionCursor : IKeyValueCursor
{
    readonly IExpiringCursor stored;
    readonly TransactionWrites writes;
    readonly TransactionReads reads;
    readonly MemTableIterator? own;
    readonly ulong moment;
    readonly KeyRange range;
    readonly bool isForward;
    readonly long now;
    readonly Action requireOpen;
    ScannedRange scanned;
    byte[]? target; // Where the walk over the own writes is to begin.
    bool isOwnPositioned;
    bool hasOwn, hasStored; // Whether each is on an entry.
    bool isOwnDue = true, isStoredDue = true; // Whether each has to move before the next step.
    byte[] ownKey = [];
    EntryKind ownKind;
    Source current;

    /// <summary>Begins a scan.</summary>
    /// <param name="stored">A cursor over the snapshot.</param>
    /// <param name="writes">The transaction's writes.</param>
    /// <param name="reads">What it passes is added here.</param>
    /// <param name="range">The range.</param>
    /// <param name="direction">Order of the keys.</param>
    /// <param name="now">What has expired by then is not seen.</param>
    /// <param name="requireOpen">Throws when the transaction has ended.</param>
    public TransactionCursor(
        IExpiringCursor stored, TransactionWrites writes, TransactionReads reads, KeyRange range, ScanDirection direction, long now,
        Action requireOpen)
    {
        (this.stored, this.writes, this.reads, this.range, this.now, this.requireOpen) = (stored, writes, reads, range, now, requireOpen);
        isForward = direction == ScanDirection.Forward;
        own = writes.CreateIterator();
        moment = writes.Count;
        scanned = new ScannedRange(range, null, isForward);
        reads.Add(scanned);
    }

    enum Source
    {
        None = 0,
        Stored,
        Own,
    }

    /// <inheritdoc />
    public ReadOnlySpan<byte> Key => current switch
    {
        Source.Stored => stored.Key,
        Source.Own => ownKey,
        _ => throw NoEntry(),
    };

    /// <inheritdoc />
    public ReadOnlySpan<byte> Value => current switch
    {
        Source.Stored => stored.Value,
        Source.Own => OwnValue(),
        _ => throw NoEntry(),
    };

    /// <inheritdoc />
    public bool MoveNext()
    {
        requireOpen();
        current = Source.None;
        return Step();
    }

    /// <inheritdoc />
    public bool Seek(ReadOnlySpan<byte> key)
    {
        requireOpen();
        current = Source.None;
        target = key.ToArray();
        scanned = new ScannedRange(range, target, isForward);
        reads.Add(scanned);
        isOwnPositioned = false;
        isOwnDue = true;
        isStoredDue = true; // Should this fail, a move makes good for it.
        hasStored = stored.Seek(key);
        isStoredDue = false;
        return Step();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        current = Source.None;
        stored.Dispose();
    }

    bool Step()
    {
        while (true)
        {
            if (isStoredDue) hasStored = stored.MoveNext();
            isStoredDue = false;
            if (isOwnDue) hasOwn = MoveOwn();
            isOwnDue = false;
            if (!hasStored && !hasOwn)
            {
                scanned.ReachEnd();
                return false;
            }

            var order = !hasOwn ? -1 : !hasStored ? 1 : Order(stored.Key, ownKey);
            if (order < 0)
            {
                isStoredDue = true;
                scanned.Reach(stored.Key);
                reads.AddExpiry(stored.Key, stored.ExpiresAt);
                current = Source.Stored;
                return true;
            }

            isOwnDue = true;
            if (order == 0) isStoredDue = true; // One's own write hides it.
            if (!Expiry.IsPresent(ownKind, OwnStored(), now)) continue;
            scanned.Reach(ownKey);
            current = Source.Own;
            return true;
        }
    }

    int Order(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) =>
        isForward ? left.SequenceCompareTo(right) : right.SequenceCompareTo(left);

    // To the next key that was written before the scan began: to the newest such write of it.
    bool MoveOwn()
    {
        if (own is null) return false;
        if (isForward) SeekOwnForward();
        else SeekOwnBackward();
        isOwnPositioned = true;
        while (own.IsValid && range.Contains(own.Key))
        {
            var key = own.Key.ToArray();
            own.Seek(key, moment);
            if (own.IsValid && own.Key.SequenceEqual(key))
            {
                (ownKey, ownKind) = (key, own.Kind);
                return true;
            }

            if (isForward) own.Seek(key, 0);
            else own.SeekBefore(key);
        }

        ownKey = []; // The end: what is behind it lies out of the range.
        return false;
    }

    // No entry has sequence 0: that is the first one of the next key.
    void SeekOwnForward()
    {
        if (isOwnPositioned) own!.Seek(ownKey, 0);
        else own!.Seek(target is not null && target.AsSpan().SequenceCompareTo(range.Start) > 0 ? target : range.Start, ulong.MaxValue);
    }

    void SeekOwnBackward()
    {
        if (isOwnPositioned)
        {
            own!.SeekBefore(ownKey);
        }
        else
        {
            byte[]? bound = target is null ? null : [.. target, 0];
            if (bound is null || (range.HasEnd && range.End.SequenceCompareTo(bound) < 0)) bound = range.EndKey;
            if (bound is null) own!.SeekToLast();
            else own!.SeekBefore(bound);
        }
    }

    // The iterator stays on the current write until it is due to move.
    ReadOnlySpan<byte> OwnStored() => writes.StoredAt(own!.Value);

    // The writes are gone with their transaction.
    ReadOnlySpan<byte> OwnValue()
    {
        requireOpen();
        return ownKind.Expires() ? OwnStored()[Expiry.SizeBytes..] : OwnStored();
    }

    static InvalidOperationException NoEntry() => new("The cursor is not on an entry.");
}
