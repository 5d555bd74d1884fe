using System.Runtime.InteropServices;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;

namespace Ashlar.KeyValue.Values;

/// <summary>Adds up, while a table is written, what it refers to.</summary>
sealed class ReferenceCounter
{
    readonly Dictionary<ulong, SegmentReference> references = [];

    public void Add(EntryKind kind, ReadOnlySpan<byte> stored, int keyLength)
    {
        var place = ValuePlace.Read(kind, stored);
        ref var reference = ref CollectionsMarshal.GetValueRefOrAddDefault(references, place.SegmentId, out _);
        var entryBytes = (long)LogEntry.HeaderBytes + keyLength + place.LengthBytes + (kind.Expires() ? Expiry.SizeBytes : 0);
        reference = new(place.SegmentId, reference.LiveBytes + entryBytes, reference.Count + 1);
    }

    public SegmentReference[] ToArray() => [.. references.Values.OrderBy(reference => reference.SegmentId)];
}
