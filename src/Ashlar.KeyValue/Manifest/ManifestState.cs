using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>What a store consists of: the sum of the edits.</summary>
sealed class ManifestState
{
    public Dictionary<ulong, TableInfo> Tables { get; } = [];

    /// <summary>Live segments of the log, oldest first.</summary>
    public SortedDictionary<ulong, LogInfo> Logs { get; } = [];

    public ulong ObsoleteThroughLog { get; private set; }

    public ulong NextFileId { get; private set; } = 1;

    public ulong LastSequence { get; private set; }

    public long LastCommitTime { get; private set; }

    public bool Closed { get; private set; }

    public void Apply(ManifestEdit edit, string path, long offset)
    {
        foreach (var id in edit.RemovedTables)
        {
            if (!Tables.Remove(id))
                throw new CorruptDataException(path, offset, $"the record removes table {id}, which no earlier one added");
        }

        foreach (var table in edit.AddedTables)
        {
            if (table.Level >= LevelCount || !Tables.TryAdd(table.Id, table))
                throw new CorruptDataException(path, offset, $"the record adds table {table.Id} wrongly");
            NextFileId = Math.Max(NextFileId, table.Id + 1);
            LastSequence = Math.Max(LastSequence, table.MaxSequence);
        }

        foreach (var log in edit.AddedLogs)
        {
            if (!Logs.TryAdd(log.Id, log))
                throw new CorruptDataException(path, offset, $"the record adds log {log.Id} twice");
            NextFileId = Math.Max(NextFileId, log.Id + 1);
        }

        if (edit.ObsoleteThroughLog is { } through)
        {
            ObsoleteThroughLog = Math.Max(ObsoleteThroughLog, through);
            foreach (var id in Logs.Keys.Where(id => id <= through).ToArray()) Logs.Remove(id);
        }

        NextFileId = Math.Max(NextFileId, edit.NextFileId ?? 0);
        LastSequence = Math.Max(LastSequence, edit.LastSequence ?? 0);
        LastCommitTime = Math.Max(LastCommitTime, edit.LastCommitTime ?? 0);
        Closed = edit.Closed;
    }

    public const int LevelCount = 7;

    /// <summary>One edit that yields this state.</summary>
    public ManifestEdit ToEdit()
    {
        var edit = new ManifestEdit
        {
            ObsoleteThroughLog = ObsoleteThroughLog,
            NextFileId = NextFileId,
            LastSequence = LastSequence,
            LastCommitTime = LastCommitTime,
        };
        edit.AddedTables.AddRange(Tables.Values);
        edit.AddedLogs.AddRange(Logs.Values);
        return edit;
    }
}
