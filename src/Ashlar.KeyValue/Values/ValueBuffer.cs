using Ashlar.KeyValue.Blocks;
using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Values;

/// <summary>
/// Gives a cursor the values of its entries: those in segments are read when asked for. Values that were written in the order
/// of their keys, or were moved by a merge, lie one behind the other: a cursor that reads on from where it was reads ahead,
/// twice as far each time. Others come from the cache or go there; where they have to be waited for, the disk is asked ahead of
/// need (<see cref="ValueLookAhead"/>).
/// </summary>
/// <remarks>
/// What is read ahead cannot be stale: everything that a cursor may see was written before the cursor was opened. Each value
/// is checked when it is asked for.
/// </remarks>
sealed class ValueBuffer(ValueSegments values)
{
    const int KeptBytes = 1 << 20;

    // What may lie between values that follow each other: the heads of a group and of an entry, and a key.
    const int MaxGapBytes = 1 << 10;

    const int FirstWindowBytes = 16 << 10;
    const int LongestWindowBytes = 256 << 10;

    byte[] buffer = [];

    // What of which segment is in the buffer.
    ulong segmentId;
    long start;
    int length;

    // The current value, if it is the cache's; kept by a reference.
    Block cached;
    long cacheShareBytes = values.Cache.ScanShareBytes;

    ValuePlace current;
    int windowBytes;
    bool isRead;

    // Made when a value had to be waited for.
    ValueLookAhead? lookAhead;
    int askedInARow;
    bool wasAsked;

    /// <summary>How many entries the cursor should be ahead of what it gives out, so that the disk can be asked for their values.</summary>
    public int WantedAhead => lookAhead is null ? 0 : lookAhead.Entries(askedInARow, current.LengthBytes);

    /// <summary>The cursor has moved on.</summary>
    public void Clear()
    {
        isRead = false;
        CountAsked();
        DropCached();
        if (buffer.Length <= KeptBytes) return;
        buffer = [];
        length = 0;
    }

    /// <summary>The value of an entry; valid until <see cref="Clear"/> or the entry's own memory goes.</summary>
    /// <exception cref="CorruptDataException">What lies at the entry's place is not its value.</exception>
    public ReadOnlySpan<byte> Resolve(EntryKind kind, ReadOnlySpan<byte> stored)
    {
        wasAsked = true;
        if (!kind.HasPlace()) return kind == EntryKind.ExpiringPut ? stored[Expiry.SizeBytes..] : stored;
        if (isRead) return cached.IsNone ? Slice(current) : cached.Bytes;
        var place = ValuePlace.Read(kind, stored);
        var isHeld = Holds(place);
        if (!isHeld && TryHoldCached(place))
        {
            current = place;
            isRead = true;
            return cached.Bytes;
        }

        var isAlone = !isHeld && LoadsAlone(place);
        var value = Slice(place);
        values.Check(place, value);
        // What is read ahead is cheap to read again, and often the whole store.
        if (isAlone) values.Cache.Add(place, value, ref cacheShareBytes);
        current = place;
        isRead = true;
        return value;
    }

    /// <summary>The cursor will come to an entry: asks for its value, if it has to be read. Entries come in batches.</summary>
    public void Prefetch(EntryKind kind, ReadOnlySpan<byte> stored)
    {
        if (!kind.HasPlace()) return;
        var place = ValuePlace.Read(kind, stored);
        if (!Holds(place) && !IsCached(place)) lookAhead!.Add(place);
    }

    /// <inheritdoc cref="ValueLookAhead.Send()" />
    public void EndPrefetch() => lookAhead!.Send();

    /// <summary>Gives back what is the cache's; nothing that was resolved may be used any more.</summary>
    public void Close()
    {
        isRead = false;
        DropCached();
    }

    bool TryHoldCached(in ValuePlace place)
    {
        var epoch = values.Cache.Epoch;
        var slot = epoch.Enter();
        cached = values.Cache.Find(slot, place);
        if (!cached.IsNone) ValueCache.Acquire(cached);
        epoch.Exit(slot);
        return !cached.IsNone;
    }

    bool IsCached(in ValuePlace place)
    {
        var epoch = values.Cache.Epoch;
        var slot = epoch.Enter();
        var found = values.Cache.Find(slot, place);
        epoch.Exit(slot);
        return !found.IsNone;
    }

    void CountAsked()
    {
        if (wasAsked)
        {
            askedInARow = Math.Min(askedInARow, ValueLookAhead.MaxEntries) + 1;
        }
        else
        {
            askedInARow = 0;
            lookAhead?.End();
        }

        wasAsked = false;
    }

    void DropCached()
    {
        if (!cached.IsNone) values.Cache.Release(cached);
        cached = default;
    }

    bool Holds(in ValuePlace place) =>
        place.SegmentId == segmentId && place.Offset >= start && place.Offset + place.LengthBytes <= start + length;

    ReadOnlySpan<byte> Slice(scoped in ValuePlace place) => buffer.AsSpan((int)(place.Offset - start), place.LengthBytes);

    // False if more was read than the value.
    bool LoadsAlone(in ValuePlace place)
    {
        var (from, to) = (place.Offset, place.Offset + place.LengthBytes);
        var gapAfter = from - (current.Offset + current.LengthBytes);
        var gapBefore = current.Offset - to;
        var isSameSegment = place.SegmentId == current.SegmentId;
        length = 0; // Until all is well the buffer holds nothing.
        var isAhead = lookAhead is { IsOn: true };
        // What was asked for ahead of need may be there: reading more around it would wait again.
        if (isAhead && TryLoadCached(place)) return true;
        if (isSameSegment && gapAfter is >= 0 and <= MaxGapBytes && TryLoadAhead(place, from, Math.Max(to, from + GrowWindow())))
            return false;
        if (isSameSegment && gapBefore is >= 0 and <= MaxGapBytes
            && TryLoadAhead(place, Math.Max(0, Math.Min(from, to - GrowWindow())), to)) return false;
        windowBytes = 0;
        if (!isAhead && TryLoadCached(place))
        {
            lookAhead?.CountRead(waits: false);
            return true;
        }

        (lookAhead ??= new ValueLookAhead(values)).CountRead(waits: true);
        Reserve(place.LengthBytes);
        if (values.ReadAt(place, from, buffer.AsSpan(0, place.LengthBytes)) != place.LengthBytes) throw values.CutOff(place);
        (segmentId, start, length) = (place.SegmentId, from, place.LengthBytes);
        return true;
    }

    // False if that would have to wait for the disk, or the segment ends too early.
    bool TryLoadCached(in ValuePlace place)
    {
        Reserve(place.LengthBytes);
        if (!values.TryReadCachedAt(place.SegmentId, place.Offset, buffer.AsSpan(0, place.LengthBytes), out var read)
            || read != place.LengthBytes) return false;
        (segmentId, start, length) = (place.SegmentId, place.Offset, read);
        return true;
    }

    // False where the disk refuses: what nobody asked for must not fail what somebody did.
    bool TryLoadAhead(in ValuePlace place, long from, long to)
    {
        var wanted = (int)(to - from);
        Reserve(wanted);
        try
        {
            var read = values.ReadAt(place, from, buffer.AsSpan(0, wanted));
            if (from + read < place.Offset + place.LengthBytes) return false;
            (segmentId, start, length) = (place.SegmentId, from, read);
            return true;
        }
        catch (StorageException)
        {
            return false;
        }
    }

    int GrowWindow() => windowBytes = Math.Clamp(2 * windowBytes, FirstWindowBytes, LongestWindowBytes);

    void Reserve(int bytes)
    {
        if (buffer.Length < bytes) buffer = GC.AllocateUninitializedArray<byte>(Math.Max(256, bytes));
    }
}
