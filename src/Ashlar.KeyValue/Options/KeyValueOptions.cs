using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>How a store is opened. Every size is in bytes.</summary>
public sealed record KeyValueOptions
{
    /// <summary>Longest key that the formats can hold.</summary>
    public const int KeyLimitBytes = 65_535;

    /// <summary>Longest value that the formats are meant to hold.</summary>
    public const int ValueLimitBytes = 64 << 20;

    /// <summary>Segments of the log end below this plus one batch: offsets within them fit 32 bits.</summary>
    internal const long MaxLogSegmentBytes = 2L << 30;

    /// <summary>Most that <see cref="MemTableBytes"/>, <see cref="TableBytes"/>, <see cref="BlockCacheBytes"/> and
    /// <see cref="SpaceReserveBytes"/> may be: 1 TiB.</summary>
    public const long SizeLimitBytes = 1L << 40;

    /// <summary>Files that readers keep open unless told otherwise.</summary>
    public const int DefaultMaxOpenFiles = 1000;

    /// <summary>Defaults: durable, on the real disk.</summary>
    public static KeyValueOptions Default { get; } = new();

    /// <summary>The disk; null is the real one.</summary>
    public IFileSystem? FileSystem { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Chance: for the store's identity and the nonces of its log.</summary>
    public IEntropySource Entropy { get; init; } = SystemEntropy.Instance;

    /// <summary>Whether a missing store is created; otherwise opening it fails.</summary>
    public bool CreateIfMissing { get; init; } = true;

    /// <summary>
    /// Whether the store is only read. Then nothing in its directory is created, changed or deleted, so a read-only file system
    /// will do, and every write throws <see cref="ReadOnlyStoreException"/>. Any number of readers may have a store open at a
    /// time, but none beside a writer. What a crash left in the log is read into memory each time, however much that is.
    /// </summary>
    /// <remarks>
    /// The lock file is only used, never created: in a directory that has none, a copy for instance, nothing keeps a writer away.
    /// What a killed process left in the page cache is shown, though a power cut may still take it.
    /// </remarks>
    public bool ReadOnly { get; init; }

    /// <summary>
    /// Longest key that puts accept, 1 to <see cref="KeyLimitBytes"/>. Longer ones that the store holds already, from when it was opened
    /// with a larger limit, are read and can be deleted.
    /// </summary>
    public int MaxKeyBytes { get; init; } = KeyLimitBytes;

    /// <summary>Longest value that puts accept, 0 to <see cref="ValueLimitBytes"/>; longer ones that are there are read.</summary>
    public int MaxValueBytes { get; init; } = ValueLimitBytes;

    /// <summary>
    /// Memory for writes that are not in tables yet, 1 KiB to <see cref="SizeLimitBytes"/>; a full one is written to a table in the
    /// background while the next fills. At most three exist at a time, and recovery replays at most what they hold.
    /// </summary>
    public long MemTableBytes { get; init; } = 32L << 20;

    /// <summary>
    /// Values of at least so many bytes are written once: they stay in the log segment that they were committed in, and memory and
    /// tables hold their place. 0 is all values, <see cref="int.MaxValue"/> none.
    /// </summary>
    public int SeparatedValueBytes { get; init; } = 256;

    /// <summary>
    /// Length of a log segment at the most, 1 KiB to 2 GiB, up to the last batch in it: the memory table is written out with it even if
    /// it is not full. In stores of less than 2 GiB of long values they are shorter, from 8 MiB on, so that little garbage lies in
    /// each. Recovery replays at most three segments, and up to eight that earlier openings ended before they were full.
    /// </summary>
    public long LogSegmentBytes { get; init; } = 256L << 20;

    /// <summary>
    /// How many bytes of values and tables may lie on disk for each byte of values that is still live, more than 1, at most 1,000,000:
    /// beyond it values are moved out of the segments with the most garbage. Less space costs more writing: 1.5 about 0.7 bytes per byte
    /// put when keys are overwritten evenly, 1.25 about 1.7. Values are moved in batches, which take up to 1.15 times as much on
    /// their way; beyond that writers are slowed until they meet the speed at which space is freed, and never stopped. Garbage of up to
    /// 32 MiB is left to lie, until <see cref="KeyValueStore.Compact"/>.
    /// </summary>
    public double SpaceAmplification { get; init; } = 1.5;

    /// <summary>
    /// Memory for blocks of tables, with their indexes and filters, and for values that lie in segments: those that were read lately
    /// and are not longer than 64 KiB and a 64th of this.
    /// </summary>
    public long BlockCacheBytes { get; init; } = 64L << 20;

    /// <summary>
    /// Tables and segments of values that are kept open for reading, at least 1; others are opened again when they are read.
    /// Not counted are the manifest, the lock, the segment of the log that is being written, and those that were replayed when the
    /// store was opened. Where the process may have fewer files open, half of them are closed, and no more are kept open from then on.
    /// </summary>
    public int MaxOpenFiles { get; init; } = DefaultMaxOpenFiles;

    /// <summary>Size at which compaction starts the next table, 1 KiB to <see cref="SizeLimitBytes"/>.</summary>
    public long TableBytes { get; init; } = 32L << 20;

    /// <summary>
    /// Threads for work in the background, 1 or 2. With two, memtables become tables while tables are merged; with one, merges
    /// pause for them.
    /// </summary>
    public int BackgroundThreads { get; init; } = 2;

    /// <summary>
    /// Disk space that is kept so that deletes, and the merges that give space back, go on when the disk is full; puts are then
    /// refused until as much is free again, but for those of batches with <see cref="WriteBatch.MayUseReserve"/>, for which a quarter is
    /// kept. 0 keeps none; null is what the store needs by its size, from 512 KiB up to twice <see cref="MemTableBytes"/> and
    /// <see cref="TableBytes"/>. No more is kept than half of what a small disk has.
    /// </summary>
    public long? SpaceReserveBytes { get; init; }

    /// <summary>Longest time that a <see cref="Durability.Relaxed"/> write may be at risk of power loss.</summary>
    public TimeSpan RelaxedLossTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Most bytes of <see cref="Durability.Relaxed"/> writes that may be at risk of power loss.</summary>
    public long RelaxedLossBytes { get; init; } = 8L << 20;

    /// <summary>
    /// Where the log is archived to, so that the store can be restored as it was at any moment (<see cref="LogArchive"/>): a directory
    /// of its own, best on another disk; it is created when missing. Null archives nothing. Once archiving has begun, log that is not in
    /// the archive is kept on the store's disk, also while this is null, until <see cref="KeyValueStore.EndLogArchive"/>.
    /// </summary>
    /// <remarks>
    /// Opening and writing never fail or wait because of the archive. What keeps it from being written is told by
    /// <see cref="KeyValueStatistics.LastArchiveFailure"/>, and tried again each half of <see cref="LogArchiveInterval"/>.
    /// </remarks>
    public string? LogArchiveDirectory { get; init; }

    /// <summary>
    /// A write is in the archive at most so long after it returned, as far as a part of the archive is written within half of it. At least
    /// 2 ms.
    /// </summary>
    public TimeSpan LogArchiveInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Whether the log writes zeros ahead of its end while it is flushed in small pieces. Flushes are then up to twice as fast on
    /// file systems that keep track of reserved blocks (ext4, XFS), for a second write of each block of the log.
    /// </summary>
    public bool PrewriteLog { get; init; } = true;

    /// <summary>
    /// Disk space that the log reserves ahead of its end, once it is as long, so that a flush need not change the file's length.
    /// </summary>
    internal int LogChunkBytes { get; init; } = 4 << 20;

    /// <summary>
    /// Flushes of the log that may be under way at once: while one runs, the next group is written and flushed. Two carry more
    /// than one; with more, groups become smaller and gain nothing.
    /// </summary>
    internal int MaxInFlightSyncs { get; init; } = 2;

    /// <summary>
    /// Level-0 tables that start a compaction; twice as many slow writers down, five times as many stop them.
    /// </summary>
    internal int LevelZeroTables { get; init; } = 4;

    /// <summary>
    /// So many bytes of tables, their values and the log that lie in ranges deleted in the memory table have it written out soon,
    /// though it is not full; not with <see cref="BackgroundInline"/>.
    /// </summary>
    internal long EarlyFlushBytes { get; init; } = 8L << 20;

    /// <summary>Target size of a block of a table.</summary>
    internal int BlockBytes { get; init; } = 4096;

    /// <summary>Length above which the manifest is written anew once it has grown to twice its last such length.</summary>
    internal int ManifestRewriteBytes { get; init; } = 1 << 20;

    /// <summary>
    /// Whether flushes of memtables and compactions run on the writing thread: for tests that need one order of
    /// events.
    /// </summary>
    internal bool BackgroundInline { get; init; }

    /// <summary>
    /// With <see cref="BackgroundInline"/>, merges that are done when a memtable has become a table; the rest waits until a writer does.
    /// </summary>
    internal int InlineMerges { get; init; } = int.MaxValue;

    /// <summary>Checks every value against its bounds, as everything does that takes options, before it does anything else.</summary>
    /// <exception cref="ArgumentException">One is beyond them; the parameter is the option.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(TimeProvider, nameof(TimeProvider));
        ArgumentNullException.ThrowIfNull(Entropy, nameof(Entropy));
        Require(MaxKeyBytes, 1, KeyLimitBytes, nameof(MaxKeyBytes));
        Require(MaxValueBytes, 0, ValueLimitBytes, nameof(MaxValueBytes));
        Require(MemTableBytes, 1024, SizeLimitBytes, nameof(MemTableBytes));
        Require(SeparatedValueBytes, 0, int.MaxValue, nameof(SeparatedValueBytes));
        if (!(SpaceAmplification is > 1 and <= 1_000_000))
            throw new ArgumentOutOfRangeException(
                nameof(SpaceAmplification), SpaceAmplification, "It is more than 1 and at most 1,000,000.");
        Require(LogSegmentBytes, 1024, MaxLogSegmentBytes, nameof(LogSegmentBytes));
        Require(BlockCacheBytes, 0, SizeLimitBytes, nameof(BlockCacheBytes));
        Require(MaxOpenFiles, 1, int.MaxValue, nameof(MaxOpenFiles));
        Require(TableBytes, 1024, SizeLimitBytes, nameof(TableBytes));
        Require(SpaceReserveBytes ?? 0, 0, SizeLimitBytes, nameof(SpaceReserveBytes));
        Require(BackgroundThreads, 1, 2, nameof(BackgroundThreads));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(RelaxedLossTime, TimeSpan.Zero, nameof(RelaxedLossTime));
        Require(RelaxedLossBytes, 0, long.MaxValue, nameof(RelaxedLossBytes));
        // Timers count whole milliseconds, and half of it must be one.
        ArgumentOutOfRangeException.ThrowIfLessThan(LogArchiveInterval, TimeSpan.FromMilliseconds(2), nameof(LogArchiveInterval));
        if (LogArchiveDirectory is not null) ArgumentException.ThrowIfNullOrEmpty(LogArchiveDirectory, nameof(LogArchiveDirectory));
    }

    static void Require(long value, long min, long max, string option)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, min, option);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, max, option);
    }
}
