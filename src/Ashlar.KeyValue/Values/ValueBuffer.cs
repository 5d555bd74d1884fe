namespace Ashlar.KeyValue;

/// <summary>Gives a cursor the values of its entries: those in segments are read when asked for, once, into one buffer.</summary>
sealed class ValueBuffer(ValueSegments values)
{
    const int KeptBytes = 1 << 20;

    byte[] buffer = [];
    int length;
    bool isRead;

    /// <summary>The cursor has moved on.</summary>
    public void Clear()
    {
        isRead = false;
        if (buffer.Length > KeptBytes) buffer = [];
    }

    /// <summary>The value of an entry; valid until <see cref="Clear"/> or the entry's own memory goes.</summary>
    /// <exception cref="Storage.CorruptDataException">What lies at the entry's place is not its value.</exception>
    public ReadOnlySpan<byte> Resolve(EntryKind kind, ReadOnlySpan<byte> stored)
    {
        if (!kind.HasPlace()) return kind == EntryKind.ExpiringPut ? stored[Expiry.SizeBytes..] : stored;
        if (isRead) return buffer.AsSpan(0, length);
        var place = ValuePlace.Read(kind, stored);
        length = place.LengthBytes;
        if (buffer.Length < length) buffer = GC.AllocateUninitializedArray<byte>(Math.Max(256, length));
        values.Read(place, buffer.AsSpan(0, length));
        isRead = true;
        return buffer.AsSpan(0, length);
    }
}
