using Ashlar.Blocks;
using Ashlar.KeyValue;

namespace Ashlar.Volumes;

/// <summary>
/// A pool: one block device that holds data, one key-value store that holds the map, and the volumes on them. Safe for
/// concurrent callers.
/// </summary>
public sealed partial class StoragePool : IAsyncDisposable
{
    static readonly TimeSpan BackgroundPatience = TimeSpan.FromMilliseconds(50);

    readonly int deviceBlockBytes;
    readonly RecoveryResult recovery;
    SuperblockCopies superblocks = null!;
    ITimer? commitTimer;
    ITimer? checksumTimer;
    long corruptBlocks;
    int isClosed;

    StoragePool(IBlockDevice device, KeyValueStore store, PoolOptions options, Superblock superblock, ChunkSpace space, RecoveryResult recovery, PoolRecord record)
    {
        Device = device;
        Store = store;
        Options = options;
        Name = superblock.Name;
        Id = superblock.PoolId;
        Space = space;
        this.recovery = recovery;
        deviceBlockBytes = device.Geometry.BlockSizeBytes;
        Events = new PoolEvents(Name, options.Observer);
        Failure = new FailureLatch(Name, Events);
        Cache = new LeafCache(store, options.MapCacheBytes);
        Markers = new DirtyMarkers(store, options, Failure);
        Commits = new Committer(this);
        var writer = new MetadataWriter(store, Failure, Name);
        Work = new BackgroundWork(Events, options.TimeProvider);
        Catalogue = new Catalogue(record, writer, options, volume => new ThinVolume(this, volume, committedChunks: 0));
        Leaked = new LeakedSpace(store, Space, Catalogue, Commits, writer, device, Events, Work);
        Remover = new VolumeRemover(Catalogue, store, Commits, Markers, Cache, Leaked, Work);
        Resizer = new VolumeResizer(Catalogue, Commits, Leaked, writer, Work, options, ReserveSpaceAsync);
    }

    /// <summary>Name of the pool: "main".</summary>
    public string Name { get; }

    /// <summary>Identity of the pool, on its device and in its store.</summary>
    public Guid Id { get; }

    internal IBlockDevice Device { get; }

    internal KeyValueStore Store { get; }

    internal PoolOptions Options { get; }

    internal ChunkSpace Space { get; }

    internal LeafCache Cache { get; }

    internal DirtyMarkers Markers { get; }

    internal Committer Commits { get; }

    internal PoolEvents Events { get; }

    internal FailureLatch Failure { get; }

    /// <summary>Space in the pool.</summary>
    public PoolUsage GetUsage() => new(
        Space.UsableChunks * MapLayout.ChunkBytes,
        Space.AllocatedChunks * MapLayout.ChunkBytes,
        Catalogue.Volumes.Sum(volume => volume.SizeBytes));

    /// <summary>Counters since the pool was opened.</summary>
    public PoolStatistics GetStatistics() => new()
    {
        Commits = Commits.Commits,
        DataFlushes = Commits.DataFlushes,
        LeavesWritten = Commits.LeavesWritten,
        MarkerSyncs = Markers.Syncs,
        MarkedLeaves = Markers.MarkedLeaves,
        UnverifiedBlocks = recovery.UnverifiedBlocks,
        RecoveredBlocks = recovery.CheckedBlocks,
        CorruptBlocks = Interlocked.Read(ref corruptBlocks),
        ChunksFreed = Commits.ChunksFreed,
        PunchFailures = Commits.PunchFailures,
        MapCacheBytes = Cache.UsedBytes,
        Failure = Failure.First,
    };

    /// <summary>Commits what the timers would commit: everything that completed before the call, checksums included.</summary>
    /// <exception cref="DeviceIOException">A commit failed, now or before; writes are refused until the pool is reopened.</exception>
    public Task CommitAsync() => Commits.RunAsync(CommitScope.Checksums);

    /// <summary>
    /// Commits, clears all markers, and closes device and store. Requests under way should have ended. After a failed commit
    /// the pool is closed as it is, and recovered when it is opened again.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isClosed, 1) != 0) return;
        if (commitTimer is not null) await commitTimer.DisposeAsync();
        if (checksumTimer is not null) await checksumTimer.DisposeAsync();
        await Work.DisposeAsync();
        try
        {
            if (Failure.First is null)
            {
                await Commits.RunAsync(CommitScope.Checksums);
                await Markers.ClearAsync(TimeSpan.Zero);
                if (Failure.First is null) Store.Delete(MapKeys.IsOpen);
                if (Failure.First is null) await superblocks.CloseAsync(Store.DurableSequence);
            }
        }
        finally
        {
            Commits.Dispose();
            try
            {
                await Device.DisposeAsync();
            }
            finally
            {
                await Store.DisposeAsync();
            }
        }
    }

    internal Lba DeviceLba(long offsetBytes) => new(offsetBytes / deviceBlockBytes);

    internal void CountCorruptBlock() => Interlocked.Increment(ref corruptBlocks);

    internal void ThrowIfClosed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref isClosed) != 0, this);

    /// <summary>Lets writers wait for a commit when more of the map is waiting for one than memory is meant for.</summary>
    internal ValueTask ThrottleAsync() => Commits.DirtyLeaves < Cache.MaxDirtyLeaves
        ? ValueTask.CompletedTask
        : new ValueTask(Commits.RunAsync(CommitScope.Checksums));

    /// <summary>
    /// Waits for a commit that frees what is in quarantine. If nothing is, one more attempt is allowed: a commit may have freed
    /// it just now. Others may be quicker to take it, so patience has an end.
    /// </summary>
    /// <exception cref="DeviceFullException">There is nothing to free.</exception>
    internal async ValueTask WaitForSpaceAsync(string device, int attempt)
    {
        const int maxAttempts = 16;
        var isWaiting = Space.QuarantinedChunks > 0;
        if (!isWaiting && Work.IsBusy && attempt < maxAttempts)
        {
            // A deleted volume may be giving its space back just now.
            await Task.WhenAny(Work.Idle, Task.Delay(BackgroundPatience, Options.TimeProvider));
            return;
        }

        if (attempt >= maxAttempts || (attempt > 0 && !isWaiting))
            throw new DeviceFullException(device, $"pool {Name} has no free chunks for it: {Space.UsableChunks * MapLayout.ChunkBytes} bytes are in use");
        if (isWaiting) await Commits.RunAsync(CommitScope.Flush);
    }

    async Task NoteStoreSequenceAsync()
    {
        try
        {
            if (await superblocks.NoteAsync(Store.DurableSequence, Commits.DataFlushes)) Commits.DeviceWritten();
        }
        catch (BlockDeviceException)
        {
            // The copy is written again at the next turn; the other one is whole. A device that is ill tells those who need it.
        }
    }

    void StartTimers()
    {
        commitTimer = Options.TimeProvider.CreateTimer(
            static state => ((StoragePool)state!).CommitIfDirty(CommitScope.Flush), this, Options.CommitInterval, Options.CommitInterval);
        checksumTimer = Options.TimeProvider.CreateTimer(
            static state => ((StoragePool)state!).CommitIfDirty(CommitScope.Checksums), this, Options.ChecksumInterval, Options.ChecksumInterval);
    }

    void CommitIfDirty(CommitScope scope)
    {
        if (Failure.First is not null) return;
        _ = NoteStoreSequenceAsync();
        if (scope == CommitScope.Checksums || Commits.HasChangedMaps) _ = Commits.RunAsync(scope);
    }
}
