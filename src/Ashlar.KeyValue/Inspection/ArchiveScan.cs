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
            var reader = new LogGroupReader(
                file, part.FileBytes, part.Segment, LogReadPolicy.ToFirstFailure, ArchiveReader.StartOf(part, before: null), shift);
            while (reader.Offset < part.To)
            {
                var offset = reader.Offset + shift;
                if (!reader.TryRead(out var group))
                {
                    sink.Damage(offset, part.FileBytes - offset, $"a group does not hold: {reader.Problem}");
                    return;
                }

                sink.Structure(
                    offset,
                    $"group of {group.Header.Count} entries, sequence {group.Header.FirstSequence}, committed at "
                        + $"{CommitTime.ToTime(group.Header.CommitTime):yyyy-MM-dd HH:mm:ss.ffffff}Z");
                for (var entries = group.Entries; entries.MoveNext();)
                {
                    var entry = entries.Current;
                    var bytes = entries.Bytes;
                    sink.Entry(
                        new ScannedEntry(entries.Offset + shift, entries.Sequence, entry.Kind, entry.KeyIn(bytes), entry.ValueIn(bytes)));
                }
            }
        }
        catch (Exception damage) when (damage is CorruptDataException or UnsupportedFormatException)
        {
            sink.Damage(0, file.LengthBytes, damage.Message);
        }
    }
}
