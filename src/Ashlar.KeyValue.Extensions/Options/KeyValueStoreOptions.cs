using Ashlar.Storage;

namespace Ashlar.KeyValue.Extensions;

/// <summary>
/// Which store a program opens, and how: <see cref="KeyValueOptions"/> in a form that configuration and code can set. Sizes are in bytes;
/// defaults and bounds are those of the engine, and are checked when the program starts.
/// </summary>
public sealed class KeyValueStoreOptions
{
    /// <summary>The directory of the store. There is no default.</summary>
    public string Directory { get; set; } = "";

    /// <inheritdoc cref="KeyValueOptions.CreateIfMissing" />
    public bool CreateIfMissing { get; set; } = KeyValueOptions.Default.CreateIfMissing;

    /// <inheritdoc cref="KeyValueOptions.ReadOnly" />
    public bool ReadOnly { get; set; } = KeyValueOptions.Default.ReadOnly;

    /// <inheritdoc cref="KeyValueOptions.MaxKeyBytes" />
    public int MaxKeyBytes { get; set; } = KeyValueOptions.Default.MaxKeyBytes;

    /// <inheritdoc cref="KeyValueOptions.MaxValueBytes" />
    public int MaxValueBytes { get; set; } = KeyValueOptions.Default.MaxValueBytes;

    /// <inheritdoc cref="KeyValueOptions.MemTableBytes" />
    public long MemTableBytes { get; set; } = KeyValueOptions.Default.MemTableBytes;

    /// <inheritdoc cref="KeyValueOptions.SeparatedValueBytes" />
    public int SeparatedValueBytes { get; set; } = KeyValueOptions.Default.SeparatedValueBytes;

    /// <inheritdoc cref="KeyValueOptions.LogSegmentBytes" />
    public long LogSegmentBytes { get; set; } = KeyValueOptions.Default.LogSegmentBytes;

    /// <inheritdoc cref="KeyValueOptions.SpaceAmplification" />
    public double SpaceAmplification { get; set; } = KeyValueOptions.Default.SpaceAmplification;

    /// <inheritdoc cref="KeyValueOptions.BlockCacheBytes" />
    public long BlockCacheBytes { get; set; } = KeyValueOptions.Default.BlockCacheBytes;

    /// <inheritdoc cref="KeyValueOptions.MaxOpenFiles" />
    public int MaxOpenFiles { get; set; } = KeyValueOptions.Default.MaxOpenFiles;

    /// <inheritdoc cref="KeyValueOptions.TableBytes" />
    public long TableBytes { get; set; } = KeyValueOptions.Default.TableBytes;

    /// <inheritdoc cref="KeyValueOptions.BackgroundThreads" />
    public int BackgroundThreads { get; set; } = KeyValueOptions.Default.BackgroundThreads;

    /// <inheritdoc cref="KeyValueOptions.SpaceReserveBytes" />
    public long? SpaceReserveBytes { get; set; } = KeyValueOptions.Default.SpaceReserveBytes;

    /// <inheritdoc cref="KeyValueOptions.RelaxedLossTime" />
    public TimeSpan RelaxedLossTime { get; set; } = KeyValueOptions.Default.RelaxedLossTime;

    /// <inheritdoc cref="KeyValueOptions.RelaxedLossBytes" />
    public long RelaxedLossBytes { get; set; } = KeyValueOptions.Default.RelaxedLossBytes;

    /// <inheritdoc cref="KeyValueOptions.LogArchiveDirectory" />
    public string? LogArchiveDirectory { get; set; } = KeyValueOptions.Default.LogArchiveDirectory;

    /// <inheritdoc cref="KeyValueOptions.LogArchiveInterval" />
    public TimeSpan LogArchiveInterval { get; set; } = KeyValueOptions.Default.LogArchiveInterval;

    /// <inheritdoc cref="KeyValueOptions.PrewriteLog" />
    public bool PrewriteLog { get; set; } = KeyValueOptions.Default.PrewriteLog;

    /// <summary>
    /// How often the store is looked at for what belongs in the log: trouble in the background, a full disk, doubt. 10 ms to a day;
    /// 10 s by default.
    /// </summary>
    public TimeSpan WatchInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <inheritdoc cref="KeyValueOptions.FileSystem" />
    public IFileSystem? FileSystem { get; set; }

    /// <summary>The clock; null is the <see cref="System.TimeProvider"/> that is registered, or the system's.</summary>
    public TimeProvider? TimeProvider { get; set; }

    /// <inheritdoc cref="KeyValueOptions.Entropy" />
    public IEntropySource? Entropy { get; set; }

    /// <summary>The same for the engine.</summary>
    /// <param name="clock">The clock where <see cref="TimeProvider"/> is null.</param>
    public KeyValueOptions ToEngineOptions(TimeProvider? clock = null) => new()
    {
        CreateIfMissing = CreateIfMissing,
        ReadOnly = ReadOnly,
        MaxKeyBytes = MaxKeyBytes,
        MaxValueBytes = MaxValueBytes,
        MemTableBytes = MemTableBytes,
        SeparatedValueBytes = SeparatedValueBytes,
        LogSegmentBytes = LogSegmentBytes,
        SpaceAmplification = SpaceAmplification,
        BlockCacheBytes = BlockCacheBytes,
        MaxOpenFiles = MaxOpenFiles,
        TableBytes = TableBytes,
        BackgroundThreads = BackgroundThreads,
        SpaceReserveBytes = SpaceReserveBytes,
        RelaxedLossTime = RelaxedLossTime,
        RelaxedLossBytes = RelaxedLossBytes,
        LogArchiveDirectory = LogArchiveDirectory,
        LogArchiveInterval = LogArchiveInterval,
        PrewriteLog = PrewriteLog,
        FileSystem = FileSystem,
        TimeProvider = TimeProvider ?? clock ?? TimeProvider.System,
        Entropy = Entropy ?? KeyValueOptions.Default.Entropy,
    };
}
