using System.Runtime.ExceptionServices;
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
public sealed partial class KeyValueStore : IDisposable, IAsyncDisposable
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
    readonly Backpressure pressure;
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
    Exception? closingFailure;
    int isClosing;

    KeyValueStore(
        StoreFiles files, KeyValueOptions options, IDisposable? directoryLock, BlockCache cache, ValueSegments values,
        RecoveredStore recovered)
    {
        this.files = files;
        this.options = options;
        this.directoryLock = directoryLock;
        this.cache = cache;
        this.values = values;
        manifest = recovered.Manifest;
        isLogComplete = recovered.IsLogComplete;
        (recoveredEnd, recoveredSequence) = (recovered.LogEnd, recovered.LastSequence);
        LastCommitTime = recovered.LastCommitTime;
        Recovery = recovered.Report;
        try
        {
            poison = new PoisonLatch(files.Directory);
            var tables = TableSet.Create(recovered.Tables);
            foreach (var table in recovered.Tables) table.Release();
            state = new StoreState(
                new StoreVersion(recovered.MemTable, [], tables), recovered.LastSequence, options.TimeProvider, values, cache.Epoch);
            tables.Release();
            pressure = new Backpressure(options);
            space = new SpaceReserve(files, options);
            archiver = CreateArchiver(recovered.LastSequence);
            compactor = new Compactor(files, state, manifest, cache, values, recovered.Numbers, options, poison, pressure, space, archiver);
            background = new BackgroundWorker(compactor, pressure, space, poison, options, files.Directory);
            durability = new DurabilityTracker(
                recovered.LastSequence, options.RelaxedLossTime, options.TimeProvider, SyncInBackground);
            var flights = new Flights(options.LogFlights);
            var log = new LogWriter(
                files, manifest, options, recovered.Numbers, values, recovered.LogEnd, recovered.LastCommitTime);
            committer = new Committer(
                state, recovered.MemTable, recovered.LastSequence, log, background, poison, options, durability, flights);
            commits = new CommitQueue(committer, flights, files.Directory);
            if (files.FileSystem is HeldDirectory held) held.Displaced = committer.Refuse;
            // Last: threads of a store that was not opened would go on to change its files.
            archiver?.Start();
            background.Start();
            metered = new SharedStatistics(GetStatistics, TimeProvider.System);
        }
        catch
        {
            Unwind(recovered.MemTable);
            throw;
        }

        KeyValueMetrics.Add(metered, files.Directory);
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
    public static KeyValueStore Open(string directory, KeyValueOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        options ??= KeyValueOptions.Default;
        options.Validate();
        var fileSystem = options.FileSystem ?? FileSystems.Real;
        var path = StoreDirectory.FullPath(directory);
        if (options.LogArchiveDirectory is { } archive && StoreDirectory.FullPath(archive) == path)
            throw new ArgumentException("A store is not archived into its own directory.", nameof(options));
        if (!fileSystem.DirectoryExists(path))
        {
            if (!options.CreateIfMissing || options.ReadOnly)
                throw new StorageException("open", path, StorageErrorKind.NotFound, 0, "there is no store in this directory");
            StoreDirectory.CreateIfMissing(fileSystem, path);
        }

        var lockPath = StoreFiles.LockPathOf(path);
        var directoryLock = options.ReadOnly ? LockForReading(fileSystem, lockPath) : fileSystem.Lock(lockPath);
        var held = directoryLock is null ? null : new HeldDirectory(fileSystem, path, lockPath, directoryLock);
        var files = new StoreFiles(held ?? fileSystem, path, options.MaxOpenFiles);
        if (held is not null) held.CloseSome = files.Readers.CloseHalf;
        try
        {
            // Little is needed, and what is left goes on to be kept for deletes.
            for (var share = SpaceReserve.FirstReleasedShare; ; share *= 2)
            {
                try
                {
                    return OpenLocked(files, options, directoryLock);
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

    /// <summary>Opens the store that consists of these files, a backup for instance.</summary>
    internal static KeyValueStore OpenLocked(StoreFiles files, KeyValueOptions options, IDisposable? directoryLock)
    {
        var cache = new BlockCache(options.BlockCacheBytes);
        var values = new ValueSegments(files, cache);
        try
        {
            var recovered = new StoreRecovery(files, options, cache, values).Run();
            return new KeyValueStore(files, options, directoryLock, cache, values, recovered);
        }
        catch
        {
            values.Dispose();
            cache.Release();
            throw;
        }
    }

    /// <summary>Random identity of the store, fixed when it was created.</summary>
    public Guid StoreId => files.StoreId;

    /// <summary>
    /// Which history of the store this is: fixed when it was created, and another one after each time that it was restored. Backups and
    /// archives of one history do not go with another.
    /// </summary>
    public Guid HistoryId => manifest.HistoryId;

    /// <summary>What opening it found: whether it was closed in order, and what of the log was read.</summary>
    public RecoveryReport Recovery { get; }

    /// <summary>Sequence of the newest write that reads see.</summary>
    public ulong VisibleSequence => state.VisibleSequence;

    /// <summary>Every write up to this sequence survives power loss.</summary>
    public ulong DurableSequence => durability.DurableSequence;

    /// <summary>
    /// What the store could not make durable when it was closed, or what put it in doubt before: null if nothing is. To be read after
    /// <see cref="Dispose"/>, which does not throw it.
    /// </summary>
    public Exception? Failure => poison.IsSet ? poison.ToException() : closingFailure;

    /// <summary>
    /// Closes the store as <see cref="Dispose"/> does, and reports what that could not make durable.
    /// </summary>
    /// <exception cref="StorePoisonedException">
    /// The last writes could not be made durable, now or earlier. The store is closed all the same.
    /// </exception>
    public void Close()
    {
        Dispose();
        if (Failure is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>
    /// Closes the store: waits for writes under way, makes everything durable and marks the log as complete. Cursors and
    /// snapshots that are still open throw <see cref="ObjectDisposedException"/> from then on.
    /// </summary>
    /// <remarks>
    /// It does not throw what the disk refuses: that would hide the exception that a <c>using</c> is left by. What was promised as
    /// durable is; whether <see cref="Durability.Relaxed"/> writes of the last moments are, <see cref="Failure"/> says, and
    /// <see cref="Close"/> throws.
    /// </remarks>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref isClosing, 1) != 0) return;
        KeyValueMetrics.Remove(metered);
        Try(durability.Dispose);
        if (!options.ReadOnly) Try(SealLog);
        Try(commits.Dispose);
        if (archiver is not null) Try(archiver.Dispose); // Before the mark below: it may write an edit.
        Try(background.Dispose);
        durability.Fail(ClosedStore.ToException());
        if (!poison.IsSet && !options.ReadOnly) Try(MarkClosed);
        Try(state.Dispose);
        Try(cache.Release);
        Try(committer.Dispose);
        Try(values.Dispose);
        Try(manifest.Dispose);
        // What readers let go of later stays where it is: the next opening, which may have happened by then, deletes it.
        if (files.FileSystem is HeldDirectory held) held.Displaced = null;
        if (directoryLock is not null) Try(directoryLock.Dispose);
        // Anything but a refusal of the disk is an error of this program.
        if (closingFailure is not null and not AshlarException) ExceptionDispatchInfo.Throw(closingFailure);
    }

    /// <inheritdoc cref="Dispose" />
    public ValueTask DisposeAsync() => new(Task.Run(Dispose));

    // What a store that was not opened has begun with: as in Dispose, as far as it came. Whoever opens it has cache and values.
    void Unwind(MemTable recovered)
    {
        if (durability is not null) Try(durability.Dispose);
        if (archiver is not null) Try(archiver.Stop);
        if (background is not null) Try(background.Dispose);
        if (files.FileSystem is HeldDirectory held) held.Displaced = null;
        if (state is not null) Try(state.Dispose);
        if (committer is not null) Try(committer.Dispose);
        else recovered.Release();
        Try(manifest.Dispose);
    }

    void Try(Action step)
    {
        try
        {
            step();
        }
        catch (Exception failure)
        {
            closingFailure ??= failure;
        }
    }

    void SealLog()
    {
        var hadLog = committer.HasOpenLog;
        commits.Run(CommitRequest.Close, null, Durability.Unflushed);
        isLogComplete |= hadLog;
    }

    // Behind this mark every earlier edit is known to have been durable: damage to one of them cannot pass for a torn tail. Where the disk
    // refuses it, the store is opened as after a crash next time.
    void MarkClosed()
    {
        if (!isLogComplete || manifest.IsInDoubt || manifest.State.Closed) return;
        try
        {
            using (manifest.Gate.Hold()) manifest.Append(new ManifestEdit { Closed = true });
        }
        catch (StorageException)
        {
        }
    }

    // A copy of a store, on a disk that cannot be written, has no lock file and needs none.
    static IFileLock? LockForReading(IFileSystem fileSystem, string lockPath) =>
        fileSystem.FileExists(lockPath) ? fileSystem.LockShared(lockPath) : null;

    void ThrowIfUnwritable()
    {
        ThrowIfClosed();
        if (options.ReadOnly) throw new ReadOnlyStoreException(files.Directory);
    }

    void ThrowIfClosed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref isClosing) != 0, this);
}
