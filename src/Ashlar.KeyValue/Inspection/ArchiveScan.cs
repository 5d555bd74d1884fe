using Ashlar.KeyValue.Archive;
using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Inspection;

/// <summary>Reads a part of an archive group by group, up to the first that does not hold.</summary>
sealed class ArchiveScan(IFile file, IScanSink sink)
{
    public void Run()
    {
        try
        {
            var head = new byte[ArchivePart.HeadBytes];
            var part = ArchivePart.Decode(head.AsSpan(0, file.Read(head, 0)), file.LengthBytes, file.Path);
            sink.Structure(
                0,
                $"part {part.Number} of the archive of store {part.StoreId}, history {part.HistoryId}, crc {part.Crc:x8} after "
                    + $"{part.PreviousCrc:x8}");
            sink.Structure(0, $"  log {part.SegmentId}, nonce {part.Nonce:x16}, bytes {part.From} to {part.To}");
            sink.Structure(0, $"  sequences {part.FirstSequence} to {part.LastSequence}, after {part.AfterSequence}");
            var shift = ArchivePart.HeadBytes - part.From;
            var walk = new LogGroupWalk(file, part.FileBytes, part.Segment, part.From, shift, ArchiveReader.PreviousCrcIn(file, part));
            while (walk.Offset < part.To)
            {
                var offset = walk.Offset + shift;
                if (!walk.TryRead(out var group, out var bytes))
                {
                    sink.Damage(offset, part.FileBytes - offset, "a group does not hold");
                    return;
                }

                sink.Structure(
                    offset,
                    $"group of {group.Count} entries, sequence {group.FirstSequence}, committed at "
                        + $"{CommitTime.ToTime(group.CommitTime):yyyy-MM-dd HH:mm:ss.ffffff}Z");
                var sequence = group.FirstSequence;
                for (var at = LogGroupHeader.SizeBytes; at < bytes.Length;)
                {
                    var entry = LogEntry.Read(bytes[at..]);
                    sink.Entry(
                        new ScannedEntry(offset + at, sequence++, entry.Kind, entry.KeyIn(bytes[at..]), entry.ValueIn(bytes[at..]))
                        {
                            IsValueSound = true,
                        });
                    at += entry.SizeBytes;
                }
            }
        }
        catch (Exception damage) when (damage is CorruptDataException or UnsupportedFormatException)
        {
            sink.Damage(0, file.LengthBytes, damage.Message);
        }
    }
}
