namespace Ashlar.KeyValue;

/// <summary>
/// Counts and sizes of a store at one moment. Counters start when the store is opened; sizes are in bytes.
/// </summary>
public sealed record KeyValueStatistics
{
    /// <summary>Sequence of the newest visible write.</summary>
    public ulong LastSequence { get; init; }

    /// <summary>Everything up to this sequence survives power loss.</summary>
    public ulong DurableSequence { get; init; }

    /// <summary>Groups of writes that went to the log together.</summary>
    public long CommitGroups { get; init; }

    /// <summary>Flushes of the log to stable storage.</summary>
    public long Syncs { get; init; }

    /// <summary>Bytes written to the log.</summary>
    public long LogBytesWritten { get; init; }

    /// <summary>Bytes of tables written, by flushes of memtables and by compactions.</summary>
    public long TableBytesWritten { get; init; }

    /// <summary>Memtables written to tables.</summary>
    public long Flushes { get; init; }

    /// <summary>Compactions done.</summary>
    public long Compactions { get; init; }

    /// <summary>How often a group of writes was held back because flush or compaction had fallen behind.</summary>
    public long WriteStalls { get; init; }

    /// <summary>What stopped the last flush or compaction; null if it succeeded.</summary>
    public string? LastBackgroundFailure { get; init; }

    /// <summary>Memory of all memtables.</summary>
    public long MemTableBytes { get; init; }

    /// <summary>Full memtables that wait to become tables.</summary>
    public int ImmutableMemTables { get; init; }

    /// <summary>Live segments of the log.</summary>
    public int LogSegments { get; init; }

    /// <summary>Number of tables in each level.</summary>
    public IReadOnlyList<int> TablesPerLevel { get; init; } = [];

    /// <summary>Size of all tables.</summary>
    public long TableBytes { get; init; }

    /// <summary>Entries in all tables: shadowed ones and tombstones count.</summary>
    public long TableEntries { get; init; }

    /// <summary>Memory of cached blocks.</summary>
    public long CacheBytes { get; init; }

    /// <summary>Files that are open for reading; see <see cref="KeyValueOptions.MaxOpenFiles"/>.</summary>
    public int OpenFiles { get; init; }

    /// <summary>Blocks that were found in the cache.</summary>
    public long CacheHits { get; init; }

    /// <summary>Blocks that had to be read.</summary>
    public long CacheMisses { get; init; }

    /// <summary>Open snapshots.</summary>
    public int Snapshots { get; init; }
}
