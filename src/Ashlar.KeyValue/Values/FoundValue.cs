using System.Buffers;
using Ashlar.KeyValue.Blocks;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.Values;

/// <summary>
/// What a lookup found: the value itself, in memory, or its place in a segment. Used by a reader
/// that is within the epoch in which it was found.
/// </summary>
readonly ref struct FoundValue
{
    // Of what most readers do not ask for only the way there is kept: a look into the block costs more than all that is here.
    readonly int slot;
    readonly EntryKind kind;
    readonly ReadOnlySpan<byte> stored; // Without the place, in a block.
    readonly ulong written; // In a memtable.
    readonly Block block; // None in a memtable.
    readonly int position;

    /// <summary>An entry of a memtable.</summary>
    public FoundValue(int slot, EntryKind kind, ReadOnlySpan<byte> stored, ulong sequence)
    {
        (this.slot, this.kind, written) = (slot, kind, sequence);
        this.stored = stored;
    }

    /// <summary>An entry of a table.</summary>
    public FoundValue(int slot, Block block, int position)
    {
        (this.slot, this.block, this.position) = (slot, block, position);
        kind = block.KindAt(position);
        stored = block.InlineAt(position);
    }

    /// <summary>Sequence of the entry.</summary>
    public ulong Sequence => block.IsNone ? written : block.SequenceAt(position);

    /// <summary>As <see cref="Expiry"/> stores it; 0 if it does not expire.</summary>
    public long ExpiresAt => Expiry.Of(kind, stored);

    public KeyValueEntryInfo Info => KeyValueEntryInfo.Of(Sequence, ExpiresAt);

    public int LengthBytes => HasPlace ? Place.LengthBytes : Value.Length;

    bool HasPlace => kind.HasPlace();

    // Of a value in memory, whose expiry is ahead of it if it has one.
    ReadOnlySpan<byte> Value => kind == EntryKind.ExpiringPut ? stored[Expiry.SizeBytes..] : stored;

    ValuePlace Place => block.IsNone ? ValuePlace.Read(kind, stored) : block.PlaceAt(position);

    /// <summary>Whether the entry says that its key is present.</summary>
    public bool IsPresent(TimeProvider clock) => Expiry.IsPresent(kind, stored, clock);

    /// <summary>Whether the value has to be read from a segment, and from where.</summary>
    public bool TryGetPlace(out ValuePlace found)
    {
        found = HasPlace ? Place : default;
        return HasPlace;
    }

    public byte[] ToArray(ValueSegments values)
    {
        if (!HasPlace) return Value.ToArray();
        var place = Place;
        var read = GC.AllocateUninitializedArray<byte>(place.LengthBytes);
        values.ReadThrough(slot, place, read);
        return read;
    }

    public void CopyTo(IBufferWriter<byte> destination, ValueSegments values)
    {
        if (!HasPlace)
        {
            destination.Write(Value);
            return;
        }

        var place = Place;
        if (place.LengthBytes == 0) return;
        values.ReadThrough(slot, place, destination.GetSpan(place.LengthBytes)[..place.LengthBytes]);
        destination.Advance(place.LengthBytes);
    }

    /// <summary>Copies the value if it fits; gives its length in either case.</summary>
    public bool TryCopyTo(Span<byte> destination, ValueSegments values, out int lengthBytes)
    {
        if (!HasPlace)
        {
            lengthBytes = Value.Length;
            return Value.TryCopyTo(destination);
        }

        var place = Place;
        lengthBytes = place.LengthBytes;
        if (lengthBytes > destination.Length) return false;
        values.ReadThrough(slot, place, destination[..lengthBytes]);
        return true;
    }

    /// <summary>Copies the value if that needs no waiting for the disk.</summary>
    public bool TryCopyCached(IBufferWriter<byte> destination, ValueSegments values)
    {
        if (!HasPlace)
        {
            destination.Write(Value);
            return true;
        }

        var place = Place;
        if (place.LengthBytes == 0) return true;
        if (!values.TryReadCachedThrough(slot, place, destination.GetSpan(place.LengthBytes)[..place.LengthBytes])) return false;
        destination.Advance(place.LengthBytes);
        return true;
    }

    /// <summary>The same into memory that is long enough.</summary>
    public bool TryCopyCached(Span<byte> destination, ValueSegments values)
    {
        if (!HasPlace)
        {
            Value.CopyTo(destination);
            return true;
        }

        var place = Place;
        return values.TryReadCachedThrough(slot, place, destination[..place.LengthBytes]);
    }
}
