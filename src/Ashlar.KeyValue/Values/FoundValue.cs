using System.Buffers;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.Values;

/// <summary>
/// What a lookup found: the value itself, in memory, or its place in a segment. Used by a reader
/// that is within the epoch in which it was found.
/// </summary>
readonly ref struct FoundValue
{
    // Larger values are read into memory of their own when a caller wants only their beginning.
    const int MaxPooledBytes = 1 << 20;

    readonly int slot;
    readonly bool hasPlace;
    readonly ReadOnlySpan<byte> value;
    readonly ValuePlace place;

    /// <summary>A value in memory, with its expiry ahead of it if it has one.</summary>
    public FoundValue(int slot, EntryKind kind, ReadOnlySpan<byte> inline)
    {
        this.slot = slot;
        value = kind == EntryKind.ExpiringPut ? inline[Expiry.SizeBytes..] : inline;
    }

    /// <summary>A value in a segment.</summary>
    public FoundValue(int slot, scoped in ValuePlace place) => (this.slot, hasPlace, this.place) = (slot, true, place);

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

    /// <summary>Copies as much as fits; gives the length of the whole value.</summary>
    public int CopyTo(Span<byte> destination, ValueSegments values)
    {
        if (!hasPlace)
        {
            value[..Math.Min(value.Length, destination.Length)].CopyTo(destination);
            return value.Length;
        }

        if (place.LengthBytes <= destination.Length) values.ReadThrough(slot, place, destination[..place.LengthBytes]);
        else CopyBeginning(destination, values);
        return place.LengthBytes;
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

    /// <summary>Copies as much as fits if that needs no waiting for the disk; gives the length of the whole value.</summary>
    public bool TryCopyCached(Span<byte> destination, ValueSegments values, out int lengthBytes)
    {
        lengthBytes = hasPlace ? place.LengthBytes : value.Length;
        if (!hasPlace)
        {
            value[..Math.Min(value.Length, destination.Length)].CopyTo(destination);
            return true;
        }

        if (lengthBytes <= destination.Length
            ? values.TryReadCachedThrough(slot, place, destination[..lengthBytes])
            : TryCopyCachedBeginning(destination, values))
        {
            return true;
        }

        lengthBytes = 0;
        return false;
    }

    bool TryCopyCachedBeginning(Span<byte> destination, ValueSegments values)
    {
        var length = place.LengthBytes;
        var whole = length <= MaxPooledBytes ? ArrayPool<byte>.Shared.Rent(length) : new byte[length];
        try
        {
            if (!values.TryReadCachedThrough(slot, place, whole.AsSpan(0, length))) return false;
            whole.AsSpan(0, destination.Length).CopyTo(destination);
            return true;
        }
        finally
        {
            if (length <= MaxPooledBytes) ArrayPool<byte>.Shared.Return(whole);
        }
    }

    // The checksum covers the whole value, so all of it is read.
    void CopyBeginning(Span<byte> destination, ValueSegments values)
    {
        var length = place.LengthBytes;
        var whole = length <= MaxPooledBytes ? ArrayPool<byte>.Shared.Rent(length) : new byte[length];
        try
        {
            values.ReadThrough(slot, place, whole.AsSpan(0, length));
            whole.AsSpan(0, destination.Length).CopyTo(destination);
        }
        finally
        {
            if (length <= MaxPooledBytes) ArrayPool<byte>.Shared.Return(whole);
        }
    }
}
