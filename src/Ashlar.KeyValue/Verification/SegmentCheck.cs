using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Verification;

/// <summary>
/// Walks a segment that tables refer to from head to end: heads of groups or records, heads and keys of entries, and that each
/// continues the one before it. Nothing but a repair without a manifest ever reads them again, so rot would stay hidden until the day when
/// they are all there is. Values are left to <see cref="ValueCheck"/>: those that no table refers to are garbage.
/// </summary>
sealed class SegmentCheck(ValueSegment segment, Guid storeId)
{
    readonly IFile file = segment.File;

    /// <summary>Walks it.</summary>
    /// <exception cref="CorruptDataException">Something does not hold.</exception>
    public void Run()
    {
        var head = LogSegmentHeader.ReadListed(file, segment.Id, segment.Nonce, storeId);
        if (segment.Origin == SegmentOrigin.Moved) WalkRecords(head.Seed);
        else WalkGroups(head);
    }

    void WalkGroups(in LogSegmentHeader head)
    {
        var reader = new LogGroupReader(file, segment.EndOffset, head, LogReadPolicy.WithoutValues, LogReadStart.Beginning());
        while (reader.Offset < segment.EndOffset)
        {
            var offset = reader.Offset;
            if (!reader.TryRead(out _)) throw Wrong(offset, $"a segment of values does not hold: {reader.Problem}");
            if (reader.Offset > segment.EndOffset) throw Wrong(offset, "a group of a segment of values goes beyond the segment's end");
        }
    }

    void WalkRecords(uint seed)
    {
        var window = new LogWindow(file, segment.EndOffset);
        for (long offset = LogSegmentHeader.SizeBytes; offset < segment.EndOffset;)
        {
            var entryOffset = offset + MovedRecordHeader.SizeBytes;
            if (!MovedRecordHeader.TryRead(window.Read(offset, MovedRecordHeader.SizeBytes + LogEntry.HeaderBytes), offset, seed, out _))
                throw Wrong(offset, "a record of a moved value does not hold");
            offset = entryOffset + ReadEntry(window, entryOffset).SizeBytes;
        }
    }

    LogEntry ReadEntry(LogWindow window, long offset)
    {
        var end = segment.EndOffset;
        var bytes = window.Read(offset, (int)Math.Min(LogEntry.HeaderBytes, end - offset));
        if (bytes.Length < LogEntry.HeaderBytes) throw Wrong(offset, "the segment ends within an entry");
        var entry = LogEntry.Read(bytes);
        if (entry.ValueLength < 0 || (long)LogEntry.HeaderBytes + entry.KeyLength + entry.ValueLength > end - offset)
            throw Wrong(offset, "the head of an entry does not hold");
        bytes = window.Read(offset, LogEntry.HeaderBytes + entry.KeyLength);
        if (Crc32C.Compute(bytes[4..]) != entry.KeyCrc) throw Wrong(offset, "head or key of an entry do not hold");
        return entry;
    }

    CorruptDataException Wrong(long offset, string problem) => new(file.Path, offset, problem);
}
