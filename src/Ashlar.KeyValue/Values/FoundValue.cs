using System.Buffers;

namespace Ashlar.KeyValue;

/// <summary>
/// What a lookup found: the value itself, in memory, or its place in a segment. Used by a reader
/// that is within the epoch in which it was found.
/// </summary>
readonly ref struct FoundValue(int slot, EntryKind kind, ReadOnlySpan<byte> stored)
{
    // Larger values are read into memory of their own when a caller wants only their beginning.
    const int MostPooledBytes = 1 << 20;

    readonly EntryKind kind = kind;

    // Without the expiry, where it holds the value itself.
    readonly ReadOnlySpan<byte> stored = kind == EntryKind.ExpiringPut ? stored[Expiry.SizeBytes..] : stored;

    public byte[] ToArray(ValueSegments values)
    {
        if (!kind.HasPlace()) return stored.ToArray();
        var place = ValuePlace.Read(kind, stored);
        var value = GC.AllocateUninitializedArray<byte>(place.LengthBytes);
        values.ReadThrough(slot, place, value);
        return value;
    }

    public void CopyTo(IBufferWriter<byte> destination, ValueSegments values)
    {
        if (!kind.HasPlace())
        {
            destination.Write(stored);
            return;
        }

        var place = ValuePlace.Read(kind, stored);
        if (place.LengthBytes == 0) return;
        values.ReadThrough(slot, place, destination.GetSpan(place.LengthBytes)[..place.LengthBytes]);
        destination.Advance(place.LengthBytes);
    }

    /// <summary>Copies as much as fits; gives the length of the whole value.</summary>
    public int CopyTo(Span<byte> destination, ValueSegments values)
    {
        if (!kind.HasPlace())
        {
            stored[..Math.Min(stored.Length, destination.Length)].CopyTo(destination);
            return stored.Length;
        }

        var place = ValuePlace.Read(kind, stored);
        if (place.LengthBytes <= destination.Length) values.ReadThrough(slot, place, destination[..place.LengthBytes]);
        else CopyBeginning(place, destination, values);
        return place.LengthBytes;
    }

    // The checksum covers the whole value, so all of it is read.
    void CopyBeginning(in ValuePlace place, Span<byte> destination, ValueSegments values)
    {
        var length = place.LengthBytes;
        var whole = length <= MostPooledBytes ? ArrayPool<byte>.Shared.Rent(length) : new byte[length];
        try
        {
            values.ReadThrough(slot, place, whole.AsSpan(0, length));
            whole.AsSpan(0, destination.Length).CopyTo(destination);
        }
        finally
        {
            if (length <= MostPooledBytes) ArrayPool<byte>.Shared.Return(whole);
        }
    }
}
