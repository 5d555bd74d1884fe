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
    readonly LogWindow window = new(segment.File, segment.EndOffset);

    /// <summary>Walks it.</summary>
    /// <exception cref="CorruptDataException">Something does not hold.</exception>
    public void Run()
    {
        var head = LogReader.ReadHeader(file, segment.Id, segment.Nonce, storeId);
        if (segment.Origin == SegmentOrigin.Moved) WalkRecords(head.Seed);
        else WalkGroups(head);
    }

    void WalkGroups(in LogSegmentHeader head)
    {
        var seed = head.Seed;
        var (previousCrc, sequence) = (0u, 0UL);
        for (long offset = LogSegmentHeader.SizeBytes; offset < segment.EndOffset;)
        {
            if (!LogGroupHeader.TryRead(window.Read(offset, LogGroupHeader.SizeBytes), head, seed, offset, out var group, out var crc)
                || group.EndOffset > segment.EndOffset)
                throw Wrong(offset, "a group of a segment of values does not hold");
            if (group.PreviousHeaderCrc != previousCrc || (group.Count > 0 && group.FirstSequence <= sequence))
                throw Wrong(offset, "a group of a segment of values does not continue the one before it");
            WalkEntries(group, seed);
            if (group.Count > 0) sequence = group.FirstSequence + (ulong)group.Count - 1;
            previousCrc = crc;
            offset = group.EndOffset;
        }
    }

    void WalkEntries(in LogGroupHeader group, uint seed)
    {
        var offset = group.Offset + LogGroupHeader.SizeBytes;
        var end = offset + group.BodyLength;
        var bodyCrc = seed;
        var count = 0;
        for (; offset < end; count++)
        {
            var entry = ReadEntry(offset, end);
            bodyCrc = Crc32C.Append(bodyCrc, window.Read(offset, LogEntry.HeaderBytes));
            offset += entry.SizeBytes;
        }

        if (group.Kind == LogGroupKind.Entries && (count != group.Count || bodyCrc != group.BodyCrc))
            throw Wrong(group.Offset, "the checksum of a group of a segment of values does not hold");
    }

    void WalkRecords(uint seed)
    {
        for (long offset = LogSegmentHeader.SizeBytes; offset < segment.EndOffset;)
        {
            var entryOffset = offset + MovedRecordHeader.SizeBytes;
            if (!MovedRecordHeader.TryRead(window.Read(offset, MovedRecordHeader.SizeBytes + LogEntry.HeaderBytes), offset, seed, out _))
                throw Wrong(offset, "a record of a moved value does not hold");
            offset = entryOffset + ReadEntry(entryOffset, segment.EndOffset).SizeBytes;
        }
    }

    LogEntry ReadEntry(long offset, long end)
    {
        var bytes = window.Read(offset, (int)Math.Min(LogEntry.HeaderBytes, end - offset));
        if (bytes.Length < LogEntry.HeaderBytes) throw Wrong(offset, "the group or segment ends within an entry");
        var entry = LogEntry.Read(bytes);
        if (entry.ValueLength < 0 || (long)LogEntry.HeaderBytes + entry.KeyLength + entry.ValueLength > end - offset)
            throw Wrong(offset, "the head of an entry does not hold");
        bytes = window.Read(offset, LogEntry.HeaderBytes + entry.KeyLength);
        if (Crc32C.Compute(bytes[4..]) != entry.KeyCrc) throw Wrong(offset, "head or key of an entry do not hold");
        return entry;
    }

    CorruptDataException Wrong(long offset, string problem) => new(file.Path, offset, problem);
}
