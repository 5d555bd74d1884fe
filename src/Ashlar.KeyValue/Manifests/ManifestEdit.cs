using System.Buffers.Binary;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Manifests;

/// <summary>A segment of the log that the manifest lists, and where its predecessor ended.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Nonce">What its checksums are seeded with.</param>
/// <param name="PredecessorId">The segment before it; 0 if there was none that still counted.</param>
/// <param name="PredecessorEnd">End of the last group of the predecessor: what follows there does not count.</param>
/// <param name="PredecessorCrc">HeaderCrc of that last group; 0 if there was none.</param>
readonly record struct LogInfo(ulong Id, ulong Nonce, ulong PredecessorId, long PredecessorEnd, uint PredecessorCrc);

/// <summary>One atomic change of what a store consists of.</summary>
sealed class ManifestEdit
{
    public List<TableInfo> AddedTables { get; } = [];

    public List<ulong> RemovedTables { get; } = [];

    public List<LogInfo> AddedLogs { get; } = [];

    /// <summary>Segments that are not replayed any more, but that tables refer to.</summary>
    public List<ValueSegmentInfo> AddedSegments { get; } = [];

    /// <summary>Ranges that were deleted in logs that become obsolete, as long as tables may hold entries of them.</summary>
    public List<RangeTombstone> AddedRanges { get; } = [];

    /// <summary>Sequences of ranges of which no table holds a deleted entry any more.</summary>
    public List<ulong> RetiredRanges { get; } = [];

    /// <summary>What earlier programs must know of to read the store; what was set stays so.</summary>
    public StoreFeatures Features { get; set; }

    /// <summary>Logs up to this one are obsolete: their entries are in tables.</summary>
    public ulong? ObsoleteThroughLog { get; set; }

    /// <summary>No file has this number or a larger one.</summary>
    public ulong? NextFileId { get; set; }

    /// <summary>No smaller or equal sequence is given out again.</summary>
    public ulong? LastSequence { get; set; }

    /// <summary>No group is committed at a smaller time.</summary>
    public long? LastCommitTime { get; set; }

    /// <summary>The store was closed in order: everything before this edit is durable.</summary>
    public bool Closed { get; set; }

    /// <summary>How far the log is in the archive; with the first, archiving begins.</summary>
    public ArchivePosition? Archive { get; set; }

    /// <summary>The log is not archived any more: what waited for it may go.</summary>
    public bool ArchiveEnded { get; set; }

    /// <summary>The store was restored: from here on it is another one than that which it is a copy of.</summary>
    public Guid? HistoryId { get; set; }

    // Payload of a manifest record: operations one after the other, little-endian, each led by its tag.
    //   1 TableAdded     Id 8, Level 1, FileLength 8, FooterCrc 4, EntryCount 8, MinSequence 8, MaxSequence 8,
    //                    SmallestLength 2, SmallestKey.., LargestLength 2, LargestKey..
    //   2 TableRemoved   Id 8
    //   3 LogAdded       Id 8, Nonce 8, PredecessorId 8, PredecessorEnd 8, PredecessorCrc 4
    //   4 LogsObsolete   through Id 8
    //   5 NextFileId     Id 8
    //   6 LastSequence   8
    //   7 Closed
    //   8 LastCommitTime 8
    //   9 SegmentAdded   Id 8, Nonce 8, Origin 1, EndOffset 8
    //   10 Tombstones    TableId 8 (the table added just before), Count 8; left out where there are none
    //   11 References    TableId 8 (the table added just before), Count 4, then Count times: SegmentId 8, LiveBytes 8, Values 8
    //   12 Archive       ThroughLog 8, LastSequence 8, Part 8, PartCrc 4
    //   13 ArchiveEnded
    //   14 HistoryId     16
    //   15 Expiries      TableId 8 (the table added just before), Count 8, then 9 moments of 8: the least expiry, those by which about
    //                    an eighth, two eighths and so on have passed, the greatest; left out where nothing expires
    //   16 Features      8: a bit for each; set before anything is written that programs without it cannot read
    //   17 RangeDeleted  Sequence 8, StartLength 2, Start.., EndLength 2, End..; no end: the range has none
    //   18 RangeRetired  Sequence 8
    //   19 RangesApplied TableId 8 (the table added just before), Sequence 8: the table holds nothing that ranges up to there deleted
    // No segment is that long, so sums of what tables refer to stay in range.
    const long MaxReferredBytes = 1L << 40;

    const byte TableAddedTag = 1, TableRemovedTag = 2, LogAddedTag = 3, LogsObsoleteTag = 4;
    const byte NextFileIdTag = 5, LastSequenceTag = 6, ClosedTag = 7, LastCommitTimeTag = 8;
    const byte SegmentAddedTag = 9, TombstonesTag = 10, ReferencesTag = 11;
    const byte ArchiveTag = 12, ArchiveEndedTag = 13, HistoryIdTag = 14, ExpiriesTag = 15;
    const byte FeaturesTag = 16, RangeDeletedTag = 17, RangeRetiredTag = 18, RangesAppliedTag = 19;

    public byte[] Encode()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream); // Little-endian on every machine.
        foreach (var table in AddedTables)
        {
            writer.Write(TableAddedTag);
            writer.Write(table.Id);
            writer.Write(checked((byte)table.Level));
            writer.Write(table.FileLength);
            writer.Write(table.FooterCrc);
            writer.Write(table.EntryCount);
            writer.Write(table.MinSequence);
            writer.Write(table.MaxSequence);
            writer.Write(checked((ushort)table.SmallestKey.Length));
            writer.Write(table.SmallestKey);
            writer.Write(checked((ushort)table.LargestKey.Length));
            writer.Write(table.LargestKey);
            WriteTombstones(table);
            WriteExpiries(table);
            WriteReferences(table);
            WriteRangesApplied(table);
        }

        foreach (var id in RemovedTables)
        {
            writer.Write(TableRemovedTag);
            writer.Write(id);
        }

        foreach (var log in AddedLogs)
        {
            writer.Write(LogAddedTag);
            writer.Write(log.Id);
            writer.Write(log.Nonce);
            writer.Write(log.PredecessorId);
            writer.Write(log.PredecessorEnd);
            writer.Write(log.PredecessorCrc);
        }

        foreach (var segment in AddedSegments)
        {
            writer.Write(SegmentAddedTag);
            writer.Write(segment.Id);
            writer.Write(segment.Nonce);
            writer.Write((byte)segment.Origin);
            writer.Write(segment.EndOffset);
        }

        if (Features != StoreFeatures.None) WriteNumber(FeaturesTag, (ulong)Features);
        foreach (var range in AddedRanges)
        {
            writer.Write(RangeDeletedTag);
            writer.Write(range.Sequence);
            writer.Write(checked((ushort)range.Start.Length));
            writer.Write(range.Start);
            writer.Write(checked((ushort)(range.End?.Length ?? 0)));
            writer.Write(range.End ?? []);
        }

        foreach (var sequence in RetiredRanges) WriteNumber(RangeRetiredTag, sequence);
        WriteNumber(LogsObsoleteTag, ObsoleteThroughLog);
        WriteNumber(NextFileIdTag, NextFileId);
        WriteNumber(LastSequenceTag, LastSequence);
        if (Closed) writer.Write(ClosedTag);
        WriteNumber(LastCommitTimeTag, (ulong?)LastCommitTime);
        if (ArchiveEnded) writer.Write(ArchiveEndedTag);
        if (Archive is { } archive)
        {
            writer.Write(ArchiveTag);
            writer.Write(archive.ThroughLog);
            writer.Write(archive.LastSequence);
            writer.Write(archive.Part);
            writer.Write(archive.PartCrc);
        }

        if (HistoryId is { } history)
        {
            writer.Write(HistoryIdTag);
            writer.Write(history.ToByteArray(bigEndian: true));
        }

        return stream.ToArray();

        void WriteTombstones(TableInfo table)
        {
            if (table.TombstoneCount == 0) return;
            writer.Write(TombstonesTag);
            writer.Write(table.Id);
            writer.Write(table.TombstoneCount);
        }

        void WriteExpiries(TableInfo table)
        {
            if (table.Expiry.Count == 0) return;
            writer.Write(ExpiriesTag);
            writer.Write(table.Id);
            writer.Write(table.Expiry.Count);
            foreach (var moment in table.Expiry.Moments) writer.Write(moment);
        }

        void WriteRangesApplied(TableInfo table)
        {
            if (table.RangesAppliedThrough == 0) return;
            writer.Write(RangesAppliedTag);
            writer.Write(table.Id);
            writer.Write(table.RangesAppliedThrough);
        }

        void WriteReferences(TableInfo table)
        {
            if (table.References.Length == 0) return;
            writer.Write(ReferencesTag);
            writer.Write(table.Id);
            writer.Write(table.References.Length);
            foreach (var reference in table.References)
            {
                writer.Write(reference.SegmentId);
                writer.Write(reference.LiveBytes);
                writer.Write(reference.Count);
            }
        }

        void WriteNumber(byte tag, ulong? value)
        {
            if (value is not { } number) return;
            writer.Write(tag);
            writer.Write(number);
        }
    }

    /// <summary>Reads the payload of the record at <paramref name="offset"/>.</summary>
    /// <exception cref="CorruptDataException">The payload passed its checksum but makes no sense.</exception>
    /// <exception cref="UnsupportedFormatException">It holds an operation of a later version.</exception>
    public static ManifestEdit Decode(ReadOnlySpan<byte> payload, string path, long offset)
    {
        var edit = new ManifestEdit();
        var rest = payload;
        while (!rest.IsEmpty)
        {
            var tag = Take(ref rest, 1)[0];
            switch (tag)
            {
                case TableAddedTag:
                    edit.AddedTables.Add(new TableInfo(
                        TakeUInt64(ref rest), Take(ref rest, 1)[0], (long)TakeUInt64(ref rest), TakeUInt32(ref rest),
                        (long)TakeUInt64(ref rest), TakeUInt64(ref rest), TakeUInt64(ref rest),
                        TakeKey(ref rest), TakeKey(ref rest)));
                    break;
                case TableRemovedTag:
                    edit.RemovedTables.Add(TakeUInt64(ref rest));
                    break;
                case LogAddedTag:
                    edit.AddedLogs.Add(new LogInfo(
                        TakeUInt64(ref rest), TakeUInt64(ref rest), TakeUInt64(ref rest), (long)TakeUInt64(ref rest),
                        TakeUInt32(ref rest)));
                    break;
                case TombstonesTag:
                    var counted = TakeUInt64(ref rest);
                    var tombstones = TakeUInt64(ref rest);
                    if (edit.AddedTables.Count == 0 || edit.AddedTables[^1] is var last
                        && (last.Id != counted || tombstones > (ulong)last.EntryCount))
                        throw new CorruptDataException(path, offset, $"the tombstones of table {counted} do not follow it");
                    edit.AddedTables[^1] = edit.AddedTables[^1] with { TombstoneCount = (long)tombstones };
                    break;
                case ExpiriesTag:
                    var expiring = TakeUInt64(ref rest);
                    var expiry = TakeExpiry(ref rest);
                    if (edit.AddedTables.Count == 0 || edit.AddedTables[^1] is var owner
                        && (owner.Id != expiring || expiry.Count > owner.EntryCount - owner.TombstoneCount))
                        throw new CorruptDataException(path, offset, $"the expiries of table {expiring} do not follow it");
                    edit.AddedTables[^1] = edit.AddedTables[^1] with { Expiry = expiry };
                    break;
                case ReferencesTag:
                    var tableId = TakeUInt64(ref rest);
                    if (edit.AddedTables.Count == 0 || edit.AddedTables[^1].Id != tableId)
                        throw new CorruptDataException(path, offset, $"references of table {tableId} do not follow it");
                    edit.AddedTables[^1] = edit.AddedTables[^1] with { References = TakeReferences(ref rest) };
                    break;
                case RangesAppliedTag:
                    var cleaned = TakeUInt64(ref rest);
                    if (edit.AddedTables.Count == 0 || edit.AddedTables[^1].Id != cleaned)
                        throw new CorruptDataException(path, offset, $"what was deleted in table {cleaned} does not follow it");
                    edit.AddedTables[^1] = edit.AddedTables[^1] with { RangesAppliedThrough = TakeUInt64(ref rest) };
                    break;
                case FeaturesTag:
                    var features = (StoreFeatures)TakeUInt64(ref rest);
                    if ((features & ~StoreFeatures.All) != StoreFeatures.None)
                        throw new UnsupportedFormatException(
                            path, $"the store has features {(ulong)features:x} by the record at byte {offset}, some of a later version");
                    edit.Features |= features;
                    break;
                case RangeDeletedTag:
                    edit.AddedRanges.Add(TakeRange(ref rest));
                    break;
                case RangeRetiredTag:
                    edit.RetiredRanges.Add(TakeUInt64(ref rest));
                    break;
                case SegmentAddedTag:
                    var segment = new ValueSegmentInfo(
                        TakeUInt64(ref rest), TakeUInt64(ref rest), (SegmentOrigin)Take(ref rest, 1)[0],
                        (long)TakeUInt64(ref rest));
                    if (segment.Origin is not (SegmentOrigin.Log or SegmentOrigin.Moved))
                        throw new UnsupportedFormatException(
                            path, $"the segment in the record at byte {offset} is of a later version");
                    edit.AddedSegments.Add(segment);
                    break;
                case LogsObsoleteTag:
                    edit.ObsoleteThroughLog = TakeUInt64(ref rest);
                    break;
                case NextFileIdTag:
                    edit.NextFileId = TakeUInt64(ref rest);
                    break;
                case LastSequenceTag:
                    edit.LastSequence = TakeUInt64(ref rest);
                    break;
                case ClosedTag:
                    edit.Closed = true;
                    break;
                case LastCommitTimeTag:
                    edit.LastCommitTime = (long)TakeUInt64(ref rest);
                    break;
                case ArchiveTag:
                    edit.Archive = new ArchivePosition(
                        TakeUInt64(ref rest), TakeUInt64(ref rest), TakeUInt64(ref rest), TakeUInt32(ref rest));
                    break;
                case ArchiveEndedTag:
                    edit.ArchiveEnded = true;
                    break;
                case HistoryIdTag:
                    edit.HistoryId = new Guid(Take(ref rest, 16), bigEndian: true);
                    break;
                default:
                    throw new UnsupportedFormatException(
                        path, $"manifest operation {tag} in the record at byte {offset} is of a later version");
            }
        }

        return edit;

        ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> from, int length)
        {
            if (from.Length < length)
                throw new CorruptDataException(path, offset, "a manifest record ends within an operation");
            var taken = from[..length];
            from = from[length..];
            return taken;
        }

        ulong TakeUInt64(ref ReadOnlySpan<byte> from) => BinaryPrimitives.ReadUInt64LittleEndian(Take(ref from, 8));

        uint TakeUInt32(ref ReadOnlySpan<byte> from) => BinaryPrimitives.ReadUInt32LittleEndian(Take(ref from, 4));

        RangeTombstone TakeRange(ref ReadOnlySpan<byte> from)
        {
            var sequence = TakeUInt64(ref from);
            var (start, end) = (TakeKey(ref from), TakeKey(ref from));
            if (start.Length == 0 || (end.Length > 0 && KeyOrder.Instance.Compare(start, end) >= 0))
                throw new CorruptDataException(path, offset, $"the range that was deleted at sequence {sequence} is none");
            return new RangeTombstone(start, end.Length == 0 ? null : end, sequence);
        }

        TableExpiry TakeExpiry(ref ReadOnlySpan<byte> from)
        {
            var count = (long)TakeUInt64(ref from);
            var moments = new long[TableExpiry.MomentCount];
            for (var i = 0; i < moments.Length; i++)
            {
                moments[i] = (long)TakeUInt64(ref from);
                if (count <= 0 || (i > 0 && moments[i] < moments[i - 1]))
                    throw new CorruptDataException(path, offset, "the expiries of a table make no sense");
            }

            return new TableExpiry(count, moments);
        }

        SegmentReference[] TakeReferences(ref ReadOnlySpan<byte> from)
        {
            const int SizeBytes = 24;
            var count = TakeUInt32(ref from);
            if (count > from.Length / SizeBytes)
                throw new CorruptDataException(path, offset, "a manifest record ends within an operation");
            var references = new SegmentReference[count];
            for (var i = 0; i < references.Length; i++)
            {
                references[i] = new(TakeUInt64(ref from), (long)TakeUInt64(ref from), (long)TakeUInt64(ref from));
                if (references[i].LiveBytes is < 0 or > MaxReferredBytes || references[i].Count is <= 0 or > MaxReferredBytes)
                    throw new CorruptDataException(
                        path, offset, $"a table cannot refer to {references[i].Count} values of segment {references[i].SegmentId}");
            }

            return references;
        }

        byte[] TakeKey(ref ReadOnlySpan<byte> from) =>
            Take(ref from, BinaryPrimitives.ReadUInt16LittleEndian(Take(ref from, 2))).ToArray();
    }
}
