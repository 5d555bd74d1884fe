namespace Ashlar.KeyValue;

/// <summary>
/// Counts and sizes of a store at one moment. Counters start when the store is opened; sizes are in bytes.
/// </summary>
public sealed record KeyValueStatistics
{
    /// <summary>Sequence of the newest visible write; 0 where several stores are counted together, each of which has its own.</summary>
    public ulong LastSequence { get; init; }

    /// <summary>Everything up to this sequence survives power loss.</summary>
    public ulong DurableSequence { get; init; }

    /// <summary>Values written.</summary>
    public long Puts { get; init; }

    /// <summary>Tombstones written.</summary>
    public long Deletes { get; init; }

    /// <summary>Deletes of ranges written.</summary>
    public long RangeDeletes { get; init; }

    /// <summary>
    /// Ranges that were deleted and of which something may still be in memtables or tables: reads look for them, and merges take them
    /// away.
    /// </summary>
    public long DeletedRanges { get; init; }

    /// <summary>Batches written; a put or a delete of its own counts as one.</summary>
    public long Batches { get; init; }

    /// <summary>
    /// Writes with conditions, commits of transactions that have read among them, that came to their turn; who had to look again counts
    /// again.
    /// </summary>
    public long ConditionalWrites { get; init; }

    /// <summary>Those of <see cref="ConditionalWrites"/> that were overtaken by others then, and not written.</summary>
    public long OvertakenWrites { get; init; }

    /// <summary>Bytes of keys and values written.</summary>
    public long BytesPut { get; init; }

    /// <summary>Entries per batch; 0 before the first.</summary>
    public double MeanBatchEntries => Batches == 0 ? 0 : (double)(Puts + Deletes + RangeDeletes) / Batches;

    /// <summary>Batches per group, that is, per write to the log; 0 before the first.</summary>
    public double MeanGroupBatches => CommitGroups == 0 ? 0 : (double)Batches / CommitGroups;

    /// <summary>Reads of one key, by the store; those of snapshots do not count.</summary>
    public long Gets { get; init; }

    /// <summary>Groups of writes that went to the log together.</summary>
    public long CommitGroups { get; init; }

    /// <summary>Flushes of the log to stable storage.</summary>
    public long Syncs { get; init; }

    /// <summary>Mean time of a flush of the log.</summary>
    public TimeSpan SyncTimeMean { get; init; }

    /// <summary>The time that half of the flushes of the log did not exceed, to a quarter of it.</summary>
    public TimeSpan SyncTimeMedian { get; init; }

    /// <summary>The time that 99 of 100 flushes of the log did not exceed, to a quarter of it.</summary>
    public TimeSpan SyncTime99 { get; init; }

    /// <summary>Bytes written to the log.</summary>
    public long LogBytesWritten { get; init; }

    /// <summary>Bytes of tables written, by flushes of memtables and by compactions.</summary>
    public long TableBytesWritten => FlushBytesWritten + CompactionBytesWritten;

    /// <summary>Bytes of tables that memtables became.</summary>
    public long FlushBytesWritten { get; init; }

    /// <summary>Bytes of tables that compactions read.</summary>
    public long CompactionBytesRead { get; init; }

    /// <summary>Bytes of tables that compactions wrote.</summary>
    public long CompactionBytesWritten { get; init; }

    /// <summary>
    /// Bytes written to log and tables, and of values that were moved, for one byte of keys and values; 0 before the first write.
    /// </summary>
    public double WriteAmplification =>
        BytesPut == 0 ? 0 : (double)(LogBytesWritten + TableBytesWritten + MovedValueBytes) / BytesPut;

    /// <summary>Memtables written to tables.</summary>
    public long Flushes { get; init; }

    /// <summary>Compactions done.</summary>
    public long Compactions { get; init; }

    /// <summary>Compactions that moved tables to another level without writing them.</summary>
    public long TableMoves { get; init; }

    /// <summary>Tables that went without being read, because all that they held had expired or was deleted.</summary>
    public long TablesDropped { get; init; }

    /// <summary>Groups of writes that were stopped until flush or compaction had made room.</summary>
    public long WriteStalls { get; init; }

    /// <summary>Time that groups of writes were stopped.</summary>
    public TimeSpan StallTime { get; init; }

    /// <summary>Groups of writes that were slowed down because flush or compaction had fallen behind.</summary>
    public long WriteSlowDowns { get; init; }

    /// <summary>Time that groups of writes were slowed down.</summary>
    public TimeSpan SlowDownTime { get; init; }

    /// <summary>The part of it that was for space: files had grown faster than collection of values frees them.</summary>
    public TimeSpan SpaceSlowDownTime { get; init; }

    /// <summary>What each MiB written has to wait for at present: zero while the background keeps up.</summary>
    public TimeSpan DelayPerMebibyte { get; init; }

    /// <summary>Bytes that wait to be written to tables, and to be merged.</summary>
    public long DebtBytes { get; init; }

    /// <summary>
    /// Bytes of files beyond what a batch of collection may take on its way, which is 1.15 times what
    /// <see cref="KeyValueOptions.SpaceAmplification"/> allows: they slow writers, and never stop them. 0 also where nothing can be
    /// collected.
    /// </summary>
    public long SpaceDebtBytes { get; init; }

    /// <summary>When writes will be stopped if everything goes on as now; null if that is not in sight.</summary>
    public TimeSpan? TimeToStall { get; init; }

    /// <summary>What stopped the last flush or compaction; null if it succeeded.</summary>
    public string? LastBackgroundFailure { get; init; }

    /// <summary>Memory of all memtables.</summary>
    public long MemTableBytes { get; init; }

    /// <summary>Entries in all memtables, which are in the log and not yet in a table: replaced ones and tombstones count.</summary>
    public long MemTableEntries { get; init; }

    /// <summary>Full memtables that wait to become tables.</summary>
    public int ImmutableMemTables { get; init; }

    /// <summary>Live segments of the log.</summary>
    public int LogSegments { get; init; }

    /// <summary>Segments that are not replayed any more, but hold values that tables refer to.</summary>
    public int ValueSegments { get; init; }

    /// <summary>Size of those segments.</summary>
    public long ValueBytes { get; init; }

    /// <summary>What tables refer to of it: head, key and value of each entry, shadowed ones included.</summary>
    public long ReferencedValueBytes { get; init; }

    /// <summary>Bytes of values that were moved out of segments with much garbage.</summary>
    public long MovedValueBytes { get; init; }

    /// <summary>
    /// Length of all files: tables, segments, the log with what is reserved ahead of its end, the manifest, files that readers keep, and
    /// what is kept for a full disk.
    /// </summary>
    public long SpaceBytes { get; init; }

    /// <summary>
    /// What would be left of it if everything were merged and moved. The estimate that collection of values goes by: whether what lies
    /// above the deepest level is new, or replaces what is there, a sample of its keys tells.
    /// </summary>
    public long LiveBytes { get; init; }

    /// <summary>
    /// Bytes of data on disk for one that is live: of <see cref="SpaceBytes"/> without what is reserved and holds no data
    /// (<see cref="ReservedBytes"/>, <see cref="LogAheadBytes"/>), which is most of a small store and says nothing about its garbage. 0
    /// for an empty store.
    /// </summary>
    public double SpaceAmplification => LiveBytes == 0 ? 0 : (double)(SpaceBytes - ReservedBytes - LogAheadBytes) / LiveBytes;

    /// <summary>Live segments of the log, with what is reserved ahead of its end.</summary>
    public long LogBytes { get; init; }

    /// <summary>What of it is reserved ahead.</summary>
    public long LogAheadBytes { get; init; }

    /// <summary>Segments whose live values are being moved, because they are mostly garbage: they go when that is done.</summary>
    public long VictimBytes { get; init; }

    /// <summary>Disk space that is kept for a full disk; see <see cref="KeyValueOptions.SpaceReserveBytes"/>.</summary>
    public long ReservedBytes { get; init; }

    /// <summary>Whether puts are refused until the disk has room.</summary>
    public bool IsDiskFull { get; init; }

    /// <summary>Files that the store has done with and that open cursors, or reads under way, keep from going.</summary>
    public long KeptFiles { get; init; }

    /// <summary>Size of those files.</summary>
    public long KeptFileBytes { get; init; }

    /// <summary>The levels, from level 0 down.</summary>
    public IReadOnlyList<LevelStatistics> Levels { get; init; } = [];

    /// <summary>Number of tables in each level.</summary>
    public IReadOnlyList<int> TablesPerLevel => [.. Levels.Select(level => level.Tables)];

    /// <summary>Size of all tables.</summary>
    public long TableBytes => Levels.Sum(level => level.Bytes);

    /// <summary>Entries in all tables: shadowed ones and tombstones count.</summary>
    public long TableEntries => Levels.Sum(level => level.Entries);

    /// <summary>Tombstones in all tables.</summary>
    public long TableTombstones => Levels.Sum(level => level.Tombstones);

    /// <summary>Memory of cached blocks and values.</summary>
    public long CacheBytes { get; init; }

    /// <summary>Files that are open for reading; see <see cref="KeyValueOptions.MaxOpenFiles"/>.</summary>
    public int OpenFiles { get; init; }

    /// <summary>Blocks that were found in the cache.</summary>
    public long CacheHits { get; init; }

    /// <summary>Blocks that had to be read.</summary>
    public long CacheMisses { get; init; }

    /// <summary>Values of segments that were found in the cache.</summary>
    public long CacheValueHits { get; init; }

    /// <summary>Values of segments that could have been in the cache and had to be read.</summary>
    public long CacheValueMisses { get; init; }

    /// <summary>
    /// Memory of blocks and values, those included that are not in the cache and belong to cursors that stand on them.
    /// </summary>
    public long BlockBytes { get; init; }

    /// <summary>
    /// Memory that was taken of the system for blocks and values: what lies free between them as well, the more the more their sizes
    /// differ.
    /// </summary>
    public long CacheTakenBytes { get; init; }

    /// <summary>Open snapshots.</summary>
    public int Snapshots { get; init; }

    /// <summary>
    /// Open cursors. Each keeps files and memory as they were when it was opened, until it is disposed; a number that only grows
    /// tells of some that were forgotten.
    /// </summary>
    public int Cursors { get; init; }

    /// <summary>No snapshot sees less than this: merges keep what has been replaced since.</summary>
    public ulong OldestReadableSequence { get; init; }

    /// <summary>Every write up to this sequence is in the archive of the log; 0 if there is none.</summary>
    public ulong ArchivedSequence { get; init; }

    /// <summary>Parts written to the archive since the store was opened.</summary>
    public long ArchiveParts { get; init; }

    /// <summary>Bytes of the log that are kept because they are not in the archive; nearly 0 where that is up to date.</summary>
    public long ArchiveLagBytes { get; init; }

    /// <summary>How old a write may be that is not in the archive; zero if there is none, or no archive is being written.</summary>
    public TimeSpan ArchiveLag { get; init; }

    /// <summary>What keeps the archive from being written; null if nothing does. The log stays on the store's disk meanwhile.</summary>
    public string? LastArchiveFailure { get; init; }
}
