using Ashlar.KeyValue.Archive;
using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Compaction;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.Recovery;
using Ashlar.KeyValue.Statistics;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// A durable, ordered key-value store in one directory, for one process. Keys are 1 to 65,535 bytes and ordered as unsigned
/// bytes; values are 0 bytes to 64 MiB. Safe for concurrent callers.
/// </summary>
/// <remarks>
/// Every write gets a sequence number; the order of sequences is the order in which writes take effect. A read that starts
/// after a write returned sees it. A batch is seen as a whole or not at all. A <see cref="Durability.Sync"/> write is not
/// readable before it is durable.
/// </remarks>
public sealed partial class KeyValueStore : IKeyValueStore
{
    readonly StoreFiles files;
    readonly KeyValueOptions options;
    readonly IDisposable? directoryLock;
    readonly Manifest manifest;
    readonly BlockCache cache;
    readonly ValueSegments values;
    readonly StoreState state;
    readonly PoisonLatch poison;
    readonly Compactor compactor;
    readonly WriteThrottle throttle;
    readonly SpaceReserve space;
    readonly BackgroundWorker background;
    readonly StripedCounter gets = new();
    readonly SharedStatistics metered;
    readonly DurabilityTracker durability;
    readonly Committer committer;
    readonly CommitQueue commits;
    readonly LogArchiver? archiver;
    readonly LogEnd recoveredEnd;
    readonly ulong recoveredSequence;
    bool isLogComplete;

    /// <summary>Random identity of the store, fixed when it was created.</summary>
    public Guid StoreId => files.StoreId;

    /// <summary>
    /// Which history of the store this is: fixed when it was created, and another one after each time that it was restored. Backups and
    /// archives of one history do not go with another.
    /// </summary>
    public Guid HistoryId => manifest.HistoryId;

    /// <summary>What opening it found: whether it was closed in order, and what of the log was read.</summary>
    public RecoveryReport Recovery { get; }

    /// <summary>Longest key that it takes: <see cref="KeyValueOptions.MaxKeyBytes"/>.</summary>
    public int MaxKeyBytes => options.MaxKeyBytes;

    /// <summary>Longest value that it takes: <see cref="KeyValueOptions.MaxValueBytes"/>.</summary>
    public int MaxValueBytes => options.MaxValueBytes;

    /// <summary>Sequence of the newest write that reads see.</summary>
    public ulong VisibleSequence => state.VisibleSequence;

    /// <summary>Every write up to this sequence survives power loss.</summary>
    public ulong DurableSequence => durability.DurableSequence;

    void ThrowIfUnwritable()
    {
        ThrowIfClosed();
        if (options.ReadOnly) throw new ReadOnlyStoreException(files.Directory);
    }

    void ThrowIfClosed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref isClosing) != 0, this);
}
