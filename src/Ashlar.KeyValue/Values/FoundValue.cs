using System.Buffers;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.Values;

/// <summary>
/// What a lookup found: the value itself, in memory, or its place in a segment. Used by a reader
/// that is within the epoch in which it was found.
/// </summary>
readonly ref struct FoundValue
{
    readonly int slot;
    readonly bool hasPlace;
    readonly ReadOnlySpan<byte> value;
    readonly ValuePlace place;

    /// <summary>A value in memory, with its expiry ahead of it if it has one.</summary>
    public FoundValue(int slot, EntryKind kind, ReadOnlySpan<byte> inline, ulong sequence)
    {
        this.slot = slot;
        value = kind == EntryKind.ExpiringPut ? inline[Expiry.SizeBytes..] : inline;
        Sequence = sequence;
        ExpiresAt = kind.Expires() ? Expiry.Read(inline) : 0;
    }

    /// <summary>A value in a segment; an expiry is what the entry stores beside the place.</summary>
    public FoundValue(int slot, EntryKind kind, scoped ReadOnlySpan<byte> inline, scoped in ValuePlace place, ulong sequence)
    {
        (this.slot, hasPlace, this.place, Sequence) = (slot, true, place, sequence);
        ExpiresAt = kind.Expires() ? Expiry.Read(inline) : 0;
    }

    /// <summary>Sequence of the entry.</summary>
    public ulong Sequence { get; }

    /// <summary>As <see cref="Expiry"/> stores it; 0 if it does not expire.</summary>
    public long ExpiresAt { get; }

    public KeyValueEntryInfo Info => KeyValueEntryInfo.Of(Sequence, ExpiresAt);

    public int LengthBytes => hasPlace ? place.LengthBytes : value.Length;

    /// <summary>Whether the value has to be read from a segment, and from where.</summary>
    public bool TryGetPlace(out ValuePlace found)
    {
        found = place;
        return hasPlace;
    }

    public byte[] ToArray(ValueSegments values)
    {
        if (!hasPlace) return value.ToArray();
        var read = GC.AllocateUninitializedArray<byte>(place.LengthBytes);
        values.ReadThrough(slot, place, read);
        return read;
    }

    public void CopyTo(IBufferWriter<byte> destination, ValueSegments values)
    {
        if (!hasPlace)
        {
            destination.Write(value);
            return;
        }

        if (place.LengthBytes == 0) return;
        values.ReadThrough(slot, place, destination.GetSpan(place.LengthBytes)[..place.LengthBytes]);
        destination.Advance(place.LengthBytes);
    }

    /// <summary>Copies the value if it fits.</summary>
    public bool TryCopyTo(Span<byte> destination, ValueSegments values)
    {
        if (LengthBytes > destination.Length) return false;
        if (hasPlace) values.ReadThrough(slot, place, destination[..place.LengthBytes]);
        else value.CopyTo(destination);
        return true;
    }

    /// <summary>Copies the value if that needs no waiting for the disk.</summary>
    public bool TryCopyCached(IBufferWriter<byte> destination, ValueSegments values)
    {
        if (!hasPlace || place.LengthBytes == 0)
        {
            if (!hasPlace) destination.Write(value);
            return true;
        }

        if (!values.TryReadCachedThrough(slot, place, destination.GetSpan(place.LengthBytes)[..place.LengthBytes])) return false;
        destination.Advance(place.LengthBytes);
        return true;
    }

    /// <summary>The same into memory that is long enough.</summary>
    public bool TryCopyCached(Span<byte> destination, ValueSegments values)
    {
        if (hasPlace) return values.TryReadCachedThrough(slot, place, destination[..place.LengthBytes]);
        value.CopyTo(destination);
        return true;
    }
}
