using System.Globalization;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Inspection;

/// <summary>Reads the groups of a segment as far as anything of them holds, behind damage too. One group is in memory at a time.</summary>
sealed class LogScan(IFile file, LogSegmentHeader segment, IScanSink sink)
{
    static readonly long LatestTime = CommitTime.Of(DateTimeOffset.MaxValue);

    public void Run(long end)
    {
        // The first sequences may be of any number, and what the first group continues is in another segment, if at all.
        var reader = new LogGroupReader(
            file, file.LengthBytes, segment, LogReadPolicy.PastDamage, LogReadStart.Beginning() with { PreviousCrc = null });
        while (reader.Offset < end)
        {
            var offset = reader.Offset;
            var isSound = reader.TryRead(out var group);
            if (reader.Fault == LogGroupFault.Head)
            {
                reader.SkipTo(FindNext(offset, end));
                continue;
            }

            Describe(group.Header);
            if (!isSound && reader.Fault != LogGroupFault.Length) sink.Damage(offset, LogGroupHeader.SizeBytes, reader.Problem);
            ScanEntries(group);
        }
    }

    void Describe(in LogGroupHeader group)
    {
        var time = CommitTime.ToTime(Math.Clamp(group.CommitTime, 0, LatestTime));
        sink.Structure(group.Offset, string.Create(
            CultureInfo.InvariantCulture,
            $"{(group.Kind == LogGroupKind.Seal ? "seal" : "group")} from sequence {group.FirstSequence}, {group.Count} entries in "
                + $"{group.BodyLength} bytes, committed {time:yyyy-MM-dd HH:mm:ss.ffffff}, durable through {group.DurableThrough}"));
    }

    void ScanEntries(in LogGroup group)
    {
        var header = group.Header;
        var end = header.Offset + LogGroupHeader.SizeBytes + header.BodyLength;
        var entries = group.CheckEntries(withValues: true);
        while (entries.MoveNext())
        {
            var bytes = entries.Bytes;
            var isSound = entries.Fault == LogEntryFault.None;
            var key = entries.Current.KeyIn(bytes);
            if (!isSound) sink.Damage(entries.Offset, bytes.Length, "the value does not hold", KeyText.Of(key));
            var sequence = header.FirstSequence + (ulong)entries.Count - 1;
            var value = entries.Current.ValueIn(bytes);
            sink.Entry(new ScannedEntry(entries.Offset, sequence, entries.Current.Kind, key, value) { IsValueSound = isSound });
        }

        if (entries.Fault == LogEntryFault.None)
        {
            if (entries.End() != LogGroupFault.None)
                sink.Damage(header.Offset, header.BodyLength, "the checksum of the group does not hold");
            return;
        }

        var problem = entries.Fault == LogEntryFault.Key
            ? $"entry {entries.Count} of the group does not hold, nor can the next one be found"
            : file.LengthBytes < end ? "the segment ends within a group" : $"entry {entries.Count} of the group does not fit it";
        sink.Damage(entries.Offset, end - entries.Offset, problem);
    }

    /// <summary>Finds the next group with a head that holds, or the end.</summary>
    long FindNext(long offset, long end)
    {
        var search = new LogGroupSearch(file, segment, offset, end);
        if (search.TryFind(out var group))
        {
            sink.Damage(offset, group.Offset - offset, "no group holds here, but one that follows does");
            return group.Offset;
        }

        if (search.ContentBytes == 0) sink.Structure(offset, $"{end - offset} bytes that were reserved and not used");
        else sink.Damage(offset, end - offset, "no group holds from here on: the tail was torn off, or it is damaged");
        return end;
    }
}
