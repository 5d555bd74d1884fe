using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Compaction;
using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Recovery;
using Ashlar.KeyValue.Statistics;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    // Each part is let go of by Release, wherever this ends; what has threads is started last.
    KeyValueStore(StoreFiles files, KeyValueOptions options, IDisposable? directoryLock)
    {
        (this.files, this.options, this.directoryLock) = (files, options, directoryLock);
        RecoveredStore? recovered = null;
        try
        {
            cache = new BlockCache(options.BlockCacheBytes);
            values = new ValueSegments(files, cache);
            recovered = new StoreRecovery(files, options, cache, values).Run();
            isLogComplete = recovered.IsLogComplete;
            (recoveredEnd, recoveredSequence) = (recovered.LogEnd, recovered.LastSequence);
            LastCommitTime = recovered.LastCommitTime;
            Recovery = recovered.Report;
            poison = new PoisonLatch(files.Directory);
            state = CreateState(recovered);
            manifest = recovered.Manifest;
            state.HasKeyspaces = manifest.State.Features.HasFlag(StoreFeatures.Keyspaces);
            var engine = new EngineContext
            {
                Files = files,
                Options = options,
                Numbers = recovered.Numbers,
                Manifest = manifest,
                Cache = cache,
                Values = values,
                State = state,
                ExpiryClock = new ExpiryClock(options.TimeProvider),
                Poison = poison,
            };
            throttle = new WriteThrottle(options);
            space = new SpaceReserve(files, options);
            archiver = CreateArchiver();
            compactor = new Compactor(engine, throttle, space, archiver);
            background = new BackgroundWorker(engine, compactor, throttle, space, FlushInBackground);
            durability = new DurabilityTracker(recoveredSequence, options.RelaxedLossTime, options.TimeProvider, SyncInBackground);
            var inFlight = new InFlightSyncs(options.MaxInFlightSyncs);
            var log = new LogWriter(engine, recoveredEnd, LastCommitTime);
            committer = new Committer(engine, recovered.MemTable, log, background, durability, inFlight);
            commits = new CommitQueue(committer, inFlight, files.Directory);
            if (files.FileSystem is HeldDirectory held) held.Displaced = committer.Refuse;
            metered = new SharedStatistics(GetStatistics, TimeProvider.System);
            Start();
        }
        catch
        {
            // Whoever has taken over what was recovered lets go of it: the state of tables and manifest, the committer of the memtable.
            if (state is null) Try(() => recovered?.Release());
            else if (committer is null) Try(recovered!.MemTable.Release);
            Release(wasOpened: false);
            throw;
        }

        KeyValueMetrics.Add(metered, files.Directory);
    }

    // Threads of a store that was not opened would go on to change its files.
    void Start()
    {
        archiver?.Start();
        background.Start();
    }

    StoreState CreateState(RecoveredStore recovered)
    {
        var tables = TableSet.Create(recovered.Tables, RangeTombstones.Of(recovered.Manifest.State.Ranges.Values));
        var version = new StoreVersion(recovered.MemTable, [], tables);
        var created = new StoreState(version, recovered.LastSequence, options.TimeProvider, values, cache.Epoch);
        tables.Release();
        foreach (var table in recovered.Tables) table.Release();
        return created;
    }

    /// <summary>Opens, or creates, the store in a directory, and recovers what an earlier process left.</summary>
    /// <param name="directory">The directory; it is created when missing, its parents too.</param>
    /// <param name="options">How to open it; null is <see cref="KeyValueOptions.Default"/>.</param>
    /// <exception cref="LockedException">
    /// Another process, or another instance in this one, has the store open. Readers share it with readers
    /// (<see cref="KeyValueOptions.ReadOnly"/>).
    /// </exception>
    /// <exception cref="CorruptDataException">The store is damaged. Nothing was modified.</exception>
    /// <exception cref="UnsupportedFormatException">
    /// The store is of a version that this program cannot read. Nothing was modified.
    /// </exception>
    /// <exception cref="StorageException">The disk refused, or there is no store and none is to be created.</exception>
    /// <exception cref="ArgumentException">
    /// An option is out of its bounds, or the archive and the store lie in each other; the parameter is the option.
    /// </exception>
    public static KeyValueStore Open(string directory, KeyValueOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        options ??= KeyValueOptions.Default;
        options.Validate();
        var fileSystem = options.FileSystem ?? FileSystems.Real;
        var path = StoreDirectory.FullPath(directory);
        if (options.LogArchiveDirectory is { } archive)
        {
            FileSystemExtensions.RequireApartAsWritten(
                path, StoreDirectory.FullPath(archive), nameof(KeyValueOptions.LogArchiveDirectory));
        }

        if (!fileSystem.DirectoryExists(path))
        {
            if (!options.CreateIfMissing || options.ReadOnly)
                throw new StorageException("open", path, StorageErrorKind.NotFound, 0, "there is no store in this directory");
            fileSystem.CreateDirectories(path);
        }

        var lockPath = StoreFiles.LockPathOf(path);
        var directoryLock = options.ReadOnly ? LockForReading(fileSystem, lockPath) : fileSystem.Lock(lockPath);
        try
        {
            var held = directoryLock is null ? null : new HeldDirectory(fileSystem, path, lockPath, directoryLock);
            var files = new StoreFiles(held ?? fileSystem, path, options.MaxOpenFiles);
            if (held is not null) held.CloseSome = files.Readers.CloseHalf;
            // Little is needed, and what is left goes on to be kept for deletes.
            for (var share = SpaceReserve.FirstReleasedShare; ; share *= 2)
            {
                try
                {
                    return new KeyValueStore(files, options, directoryLock);
                }
                catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace && ReserveFile.Release(files, share))
                {
                    // Again, with that space.
                }
            }
        }
        catch
        {
            directoryLock?.Dispose();
            throw;
        }
    }

    /// <summary>Opens the store that consists of these files, which nobody else uses: a backup, or one that is being restored.</summary>
    internal static KeyValueStore Open(StoreFiles files, KeyValueOptions options) => new(files, options, directoryLock: null);

    // A copy of a store, on a disk that cannot be written, has no lock file and needs none.
    static IFileLock? LockForReading(IFileSystem fileSystem, string lockPath) =>
        fileSystem.FileExists(lockPath) ? fileSystem.LockShared(lockPath) : null;
}
