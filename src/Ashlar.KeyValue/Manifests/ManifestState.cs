using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Manifests;

/// <summary>What a store consists of: the sum of the edits.</summary>
sealed class ManifestState
{
    public Dictionary<ulong, TableInfo> Tables { get; } = [];

    /// <summary>Live segments of the log, oldest first.</summary>
    public SortedDictionary<ulong, LogInfo> Logs { get; } = [];

    /// <summary>Segments that are not replayed any more, but that tables refer to; each goes with its last reference.</summary>
    public Dictionary<ulong, ValueSegmentInfo> Segments { get; } = [];

    /// <summary>What tables refer to, per segment.</summary>
    public Dictionary<ulong, SegmentReference> References { get; } = [];

    /// <summary>Ranges that are deleted and of which tables may hold entries, by their sequences.</summary>
    public SortedDictionary<ulong, RangeTombstone> Ranges { get; } = [];

    /// <summary>What programs must know of to read the store.</summary>
    public StoreFeatures Features { get; private set; }

    public ulong ObsoleteThroughLog { get; private set; }

    /// <summary>The newest segment of the log that it ever knew of.</summary>
    public ulong NewestLog => Math.Max(ObsoleteThroughLog, Logs.Count == 0 ? 0 : Logs.Keys.Max());

    public ulong NextFileId { get; private set; } = 1;

    public ulong LastSequence { get; private set; }

    public long LastCommitTime { get; private set; }

    public bool Closed { get; private set; }

    /// <summary>How far the log is in the archive; null if it is not archived.</summary>
    public ArchivePosition? Archive { get; private set; }

    /// <summary>Tells a restored store from the one it is a copy of; null in one that was not restored.</summary>
    public Guid? HistoryId { get; private set; }

    /// <summary>Adds an edit; gives the segments that count no more with it: neither replayed nor referred to.</summary>
    public List<ulong> Apply(ManifestEdit edit, string path, long offset)
    {
        foreach (var id in edit.RemovedTables)
        {
            if (Tables.Remove(id, out var removed)) CountReferences(removed, -1);
            else
                throw new CorruptDataException(path, offset, $"the record removes table {id}, which no earlier one added");
        }

        foreach (var table in edit.AddedTables)
        {
            if (table.Level >= LevelCount || !Tables.TryAdd(table.Id, table))
                throw new CorruptDataException(path, offset, $"the record adds table {table.Id} wrongly");
            CountReferences(table, 1);
            NextFileId = Math.Max(NextFileId, table.Id + 1);
            LastSequence = Math.Max(LastSequence, table.MaxSequence);
        }

        foreach (var range in edit.AddedRanges)
        {
            if (!Ranges.TryAdd(range.Sequence, range))
                throw new CorruptDataException(path, offset, $"the record deletes a range at sequence {range.Sequence} twice");
            LastSequence = Math.Max(LastSequence, range.Sequence);
        }

        foreach (var sequence in edit.RetiredRanges)
        {
            if (!Ranges.Remove(sequence))
                throw new CorruptDataException(path, offset, $"the record retires a range of sequence {sequence}, which is not listed");
        }

        Features |= edit.Features;
        foreach (var log in edit.AddedLogs)
        {
            if (!Logs.TryAdd(log.Id, log))
                throw new CorruptDataException(path, offset, $"the record adds log {log.Id} twice");
            NextFileId = Math.Max(NextFileId, log.Id + 1);
        }

        foreach (var segment in edit.AddedSegments)
        {
            if (!Segments.TryAdd(segment.Id, segment))
                throw new CorruptDataException(path, offset, $"the record adds segment {segment.Id} twice");
            NextFileId = Math.Max(NextFileId, segment.Id + 1);
        }

        if (edit.ArchiveEnded) Archive = null;
        Archive = edit.Archive ?? Archive;
        HistoryId = edit.HistoryId ?? HistoryId;
        var dropped = new List<ulong>();
        if (edit.ObsoleteThroughLog is { } through)
        {
            ObsoleteThroughLog = Math.Max(ObsoleteThroughLog, through);
            foreach (var id in Logs.Keys.Where(id => id <= through).ToArray())
            {
                Logs.Remove(id);
                if (!Segments.ContainsKey(id)) dropped.Add(id);
            }
        }

        foreach (var id in Segments.Values.Where(segment => !IsNeeded(segment)).Select(segment => segment.Id).ToArray())
        {
            Segments.Remove(id);
            dropped.Add(id);
        }

        foreach (var table in edit.AddedTables)
        {
            foreach (var reference in table.References)
            {
                if (!Segments.ContainsKey(reference.SegmentId))
                    throw new CorruptDataException(
                        path, offset, $"table {table.Id} refers to segment {reference.SegmentId}, which is not listed");
            }
        }

        NextFileId = Math.Max(NextFileId, edit.NextFileId ?? 0);
        LastSequence = Math.Max(LastSequence, edit.LastSequence ?? 0);
        LastCommitTime = Math.Max(LastCommitTime, edit.LastCommitTime ?? 0);
        Closed = edit.Closed;
        return dropped;
    }

    public const int LevelCount = 7;

    /// <summary>Whether a segment of the log is not wholly in the archive.</summary>
    public bool AwaitsArchive(ulong id, SegmentOrigin origin) =>
        Archive is { } archive && origin == SegmentOrigin.Log && id > archive.ThroughLog;

    /// <summary>Whether tables refer to a segment, or the archive still needs it.</summary>
    bool IsNeeded(in ValueSegmentInfo segment) => References.ContainsKey(segment.Id) || AwaitsArchive(segment.Id, segment.Origin);

    /// <summary>One edit that yields what a copy of the store consists of: nothing that is kept for the archive alone.</summary>
    public ManifestEdit ToCopy()
    {
        var edit = ToEdit();
        edit.Archive = null;
        edit.AddedSegments.RemoveAll(segment => !References.ContainsKey(segment.Id));
        return edit;
    }

    /// <summary>One edit that yields this state.</summary>
    public ManifestEdit ToEdit()
    {
        var edit = new ManifestEdit
        {
            ObsoleteThroughLog = ObsoleteThroughLog,
            NextFileId = NextFileId,
            LastSequence = LastSequence,
            LastCommitTime = LastCommitTime,
            Archive = Archive,
            HistoryId = HistoryId,
            Features = Features,
        };
        edit.AddedRanges.AddRange(Ranges.Values);
        edit.AddedTables.AddRange(Tables.Values);
        edit.AddedLogs.AddRange(Logs.Values);
        edit.AddedSegments.AddRange(Segments.Values);
        return edit;
    }

    void CountReferences(TableInfo table, int sign)
    {
        foreach (var reference in table.References)
        {
            var sum = References.GetValueOrDefault(reference.SegmentId);
            sum = new(
                reference.SegmentId, sum.LiveBytes + (sign * reference.LiveBytes), sum.Count + (sign * reference.Count));
            Invariant.Require(sum.Count >= 0 && sum.LiveBytes >= 0); // Below, a segment would go that something still refers to.
            if (sum.Count == 0) References.Remove(reference.SegmentId);
            else References[reference.SegmentId] = sum;
        }
    }
}
