using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Verification;

/// <summary>
/// Reads the values that a table refers to: each place must lead to a sound log entry with the same key, length and checksum. Adds up
/// what was referred to, to be compared with what the manifest says.
/// </summary>
sealed class ValueCheck(ValueSegments values)
{
    readonly ReferenceCounter counter = new();
    byte[] buffer = [];

    /// <summary>Values read.</summary>
    public long Count { get; private set; }

    /// <summary>Reads the value of one entry.</summary>
    /// <exception cref="CorruptDataException">The place does not lead to the value of the key.</exception>
    public void Check(ReadOnlySpan<byte> key, EntryKind kind, ReadOnlySpan<byte> stored)
    {
        var place = ValuePlace.Read(kind, stored);
        var file = values.Find(place.SegmentId).File;
        var expiry = kind.Expires() ? stored[..Expiry.SizeBytes] : default;
        var head = LogEntry.HeaderBytes + key.Length + expiry.Length;
        var start = place.Offset - head;
        var size = head + place.LengthBytes;
        if (start < LogSegmentHeader.SizeBytes)
            throw new CorruptDataException(file.Path, place.Offset, "a table refers to a value where none can be");
        if (buffer.Length < size) buffer = new byte[Math.Max(4096, size)];
        var bytes = buffer.AsSpan(0, size);
        if (file.Read(bytes, start) != size)
            throw new CorruptDataException(file.Path, start, "the segment ends before the value does");
        if (!LogEntry.TryReadChecked(bytes, out var entry) || !entry.KeyIn(bytes).SequenceEqual(key)
            || !entry.ValueIn(bytes).StartsWith(expiry) || entry.SizeBytes != size || entry.ValueCrc != place.ValueCrc
            || entry.Kind != (kind.Expires() ? EntryKind.ExpiringPut : EntryKind.Put))
            throw new CorruptDataException(file.Path, start, "this is not the value that a table refers to, or it does not hold");
        counter.Add(kind, stored, key.Length);
        Count++;
    }

    /// <summary>Compares what was referred to with what the manifest says.</summary>
    /// <exception cref="CorruptDataException">The manifest counts references that are not there, or misses some.</exception>
    public void Finish(TableInfo info, string tablePath)
    {
        if (!counter.ToArray().AsSpan().SequenceEqual(info.References))
            throw new CorruptDataException(tablePath, 0, "the table refers to other values than the manifest says");
    }
}
