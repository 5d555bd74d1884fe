namespace Ashlar.KeyValue.Entries;

/// <summary>Entries that a cursor has walked over and not given out yet: copies, which stay while its iterator goes on.</summary>
sealed class EntryQueue(int capacity)
{
    // Entries that hold long values themselves end the queue early.
    const int MaxBytes = 256 << 10;
    const int KeptSlotBytes = 4 << 10;

    readonly Slot[] ring = new Slot[capacity];
    int first;
    int bytes;

    public int Count { get; private set; }

    public bool IsFull => Count == ring.Length || bytes >= MaxBytes;

    /// <summary>Key of the first entry.</summary>
    public ReadOnlySpan<byte> Key => ring[first].Bytes.AsSpan(0, ring[first].KeyLength);

    /// <summary>Kind of the first entry.</summary>
    public EntryKind Kind => ring[first].Kind;

    /// <summary>What the first entry stores.</summary>
    public ReadOnlySpan<byte> Stored => ring[first].Bytes.AsSpan(ring[first].KeyLength, ring[first].StoredLength);

    public void Add(ReadOnlySpan<byte> key, EntryKind kind, ReadOnlySpan<byte> stored)
    {
        ref var slot = ref ring[(first + Count) % ring.Length];
        var needed = key.Length + stored.Length;
        if (slot.Bytes is null || slot.Bytes.Length < needed) slot.Bytes = GC.AllocateUninitializedArray<byte>(needed);
        key.CopyTo(slot.Bytes);
        stored.CopyTo(slot.Bytes.AsSpan(key.Length));
        (slot.KeyLength, slot.StoredLength, slot.Kind) = (key.Length, stored.Length, kind);
        bytes += needed;
        Count++;
    }

    public void RemoveFirst()
    {
        ref var slot = ref ring[first];
        bytes -= slot.KeyLength + slot.StoredLength;
        if (slot.Bytes!.Length > KeptSlotBytes) slot.Bytes = null;
        first = (first + 1) % ring.Length;
        Count--;
    }

    public void Clear()
    {
        while (Count > 0) RemoveFirst();
    }

    struct Slot
    {
        public byte[]? Bytes;
        public int KeyLength;
        public int StoredLength;
        public EntryKind Kind;
    }
}
