using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// A pool: one block device that holds data, one key-value store that holds the map, and the volumes on them. Safe for
/// concurrent callers.
/// </summary>
public sealed partial class StoragePool : IAsyncDisposable
{
    readonly SuperblockCopies superblocks;
    readonly SuspectSweep sweep;
    readonly PoolGrower grower;
    readonly AsyncLock barring = new(); // Which parts are out of use, and where the device ends, change one after the other.
    ITimer? commitTimer;
    ITimer? checksumTimer;
    int isClosed;

    StoragePool(PoolParts parts, SuperblockCopies superblocks, PoolRecord record)
    {
        Parts = parts;
        this.superblocks = superblocks;
        Catalogue = new Catalogue(
            record,
            parts.Metadata,
            parts.Options,
            parts.Versions.Parents,
            volume => new VolumeDevice(parts, volume, committedChunks: 0));
        Leaked = new LeakedSpace(
            parts.Store,
            parts.Space,
            parts.Fragments,
            Catalogue,
            parts.Committer,
            parts.Metadata,
            parts.Device,
            parts.Damage,
            parts.Events,
            parts.Work);
        SnapshotRemover = parts.Options.Factory.CreateSnapshotRemover(parts, Catalogue);
        Remover = new VolumeRemover(parts, Catalogue, Leaked, SnapshotRemover);
        Resizer = parts.Options.Factory.CreateResizer(parts, Catalogue, Leaked);
        Restorer = new SnapshotRestorer(parts, Catalogue, Resizer, Diff, OpenView);
        Taker = parts.Options.Factory.CreateTaker(parts, Catalogue, SnapshotRemover, () => sweep!.WaitAsync());
        parts.SpaceMayHaveLeaked = Leaked.Reclaim;
        Trash = new Trash(Catalogue, Remover, parts);
        parts.MakeRoom = Trash.MakeRoomAsync;
        sweep = new SuspectSweep(parts, Catalogue.FindLineage);
        Recheck = new DamageRecheck(parts, Catalogue.FindLineage);
        DamageWriter = new DamageLogWriter(parts.Damage, parts.Metadata);
        grower = parts.Options.Factory.CreateGrower(parts, superblocks);
        Mover = parts.Options.Factory.CreateMover(
            parts, Catalogue, Remover.FindLineage, lineage => views.Values.Where(view => view.Lineage == lineage));
    }

    /// <summary>Name of the pool: "main".</summary>
    public string Name => Parts.Name;

    /// <summary>Identity of the pool, on its device and in its store.</summary>
    public Guid Id => superblocks.Current.PoolId;

    /// <summary>What the pool holds when nothing is being moved off a part of its device: what it is opened with next time.</summary>
    public long FullCapacityBytes => CapacityOf(Store, Space.ChunkCount);

    internal PoolParts Parts { get; }

    internal KeyValueStore Store => Parts.Store;

    internal ChunkSpace Space => Parts.Space;

    internal Committer Commits => Parts.Committer;

    internal FailureLatch Failure => Parts.Failure;

    internal BackgroundWork Work => Parts.Work;

    internal DamageRecheck Recheck { get; }

    internal DamageLogWriter DamageWriter { get; }

    /// <summary>Space in the pool.</summary>
    public PoolUsage GetUsage() => new(
        Space.UsableChunks * MapLayout.ChunkBytes,
        Space.AllocatedChunks * MapLayout.ChunkBytes,
        Catalogue.Volumes.Sum(volume => volume.SizeBytes))
    {
        ReclaimingBytes = Space.QuarantinedChunks * MapLayout.ChunkBytes,
        UnpunchedBytes = Space.UnpunchedChunks * MapLayout.ChunkBytes,
        TrashBytes = Trash.AllocatedBytes,
        FreeSpaceBelowBytes = FindFreeSpaceBelow(),
    };

    /// <summary>
    /// Makes the pool larger, also while it is in use: it holds so much in all, rounded up to whole chunks of 64 KiB. Durable when the
    /// call returns. What it takes of the space below is taken as volumes are written.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It would become smaller, or larger than a pool can be.</exception>
    /// <exception cref="DeviceFullException">What lies below, or memory, has no room for it; the pool is as large as it was.</exception>
    /// <exception cref="PoolGrowthException">The end of its device is out of use, and only a further device adds to it.</exception>
    public async ValueTask GrowAsync(long capacityBytes)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        await barring.EnterAsync();
        try
        {
            await grower.GrowAsync(RequireGrowable(capacityBytes));
        }
        finally
        {
            barring.Exit();
        }
    }

    /// <summary>Fails where <see cref="GrowAsync"/> would, other than for want of space.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It would become smaller, or larger than a pool can be.</exception>
    /// <exception cref="PoolGrowthException">The end of its device is out of use, and only a further device adds to it.</exception>
    public void CheckGrowth(long capacityBytes) => _ = RequireGrowable(capacityBytes);

    // What is out of use is not among what the pool holds, be it of the device only. What would be added behind it is on the device that
    // leaves: it would go with it.
    long RequireGrowable(long capacityBytes)
    {
        var barred = Space.Barred;
        var chunks = ChunksFor(capacityBytes) + barred.Sum(static range => range.IdleCount);
        if (chunks < Space.ChunkCount)
        {
            throw new ArgumentOutOfRangeException(
                nameof(capacityBytes),
                capacityBytes,
                $"Pool {Name} holds {Space.UsableChunks * MapLayout.ChunkBytes} bytes; no pool shrinks.");
        }

        if (chunks == Space.ChunkCount) return chunks;
        var deviceChunks = Parts.Device.Geometry.SizeBytes / MapLayout.ChunkBytes;
        if (barred.FirstOrDefault(range => range.End >= deviceChunks) is { } last)
        {
            throw new PoolGrowthException(
                Name,
                ReadBarred(Store, Name).Exists(range => range.First == last.First && range.State == BarredState.Gone)
                    ? "its last device was taken out; add a device"
                    : "its last device is being taken out; add a device, or cancel that");
        }

        return chunks + barred.Sum(range => Math.Max(0, range.End - Math.Max(range.First, Space.ChunkCount)));
    }

    /// <summary>The same, to all that its device has, which has become longer.</summary>
    /// <exception cref="DeviceFullException">Memory has no room for it; the pool is as large as it was.</exception>
    public async ValueTask GrowOverDeviceAsync()
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        await barring.EnterAsync();
        try
        {
            await grower.GrowAsync(ChunksFor(Math.Min(MaxCapacityBytes, FindLargestCapacityBytes())));
        }
        finally
        {
            barring.Exit();
        }
    }

    /// <summary>Counters since the pool was opened.</summary>
    public PoolStatistics GetStatistics()
    {
        var marked = Parts.Markers.Count();
        return new()
        {
            Commits = Commits.Commits,
            DataFlushes = Commits.DataFlushes,
            LeavesWritten = Commits.LeavesWritten,
            MarkerSyncs = Parts.Markers.Syncs,
            MarkedLeaves = marked.Leaves,
            MarkedBlocks = marked.Blocks,
            UnverifiedBlocks = Parts.Unverified.Count,
            Recovery = sweep.Progress,
            CorruptBlocks = Parts.Damage.Blocks,
            RepairedBlocks = Parts.RepairedBlocks,
            DamagedMapReads = Parts.Damage.Maps,
            ChunksFreed = Parts.Reclaimer.ChunksFreed,
            PunchFailures = Parts.Reclaimer.PunchFailures,
            MapCacheBytes = Parts.Cache.UsedBytes,
            MapLoads = Parts.Cache.Loads,
            IsMapDiskFull = Parts.Metadata.IsExhausted,
            Deletions = Remover.Progress,
            Failure = Failure.First,
        };
    }

    /// <summary>The first thousand blocks that are not verified since a crash, because they were being overwritten then.</summary>
    public IReadOnlyList<UnverifiedBlock> ListUnverifiedBlocks() => Parts.Unverified.List();

    /// <summary>What requests have met that cannot be read, and that nobody has healed since.</summary>
    /// <param name="listed">How many are described; all are counted, up to 10,000.</param>
    public PoolDamage GetDamage(int listed = 100) =>
        Parts.Damage.Describe(listed, lineage => Catalogue.FindLineage(lineage)?.Record.Name);

    /// <summary>The same of one volume, in its order; nothing when there is none of that name.</summary>
    public IReadOnlyList<DamagedRange> ListDamage(string name) =>
        Catalogue.Find(name) is { } volume ? Parts.Damage.List(volume.Lineage) : [];

    /// <summary>Commits what the timers would commit: everything that completed before the call, checksums included.</summary>
    /// <exception cref="DeviceIOException">A commit failed, now or before; writes are refused until the pool is reopened.</exception>
    public async Task CommitAsync() => await Commits.RunAsync(CommitScope.Checksums);

    /// <summary>
    /// Commits, clears all markers, and closes device and store. Requests under way should have ended. After a failed commit
    /// the pool is closed as it is, and recovered when it is opened again.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isClosed, 1) != 0) return;
        await Recheck.DisposeAsync();
        Parts.IsClosed = true;
        if (commitTimer is not null) await commitTimer.DisposeAsync();
        if (checksumTimer is not null) await checksumTimer.DisposeAsync();
        await Parts.Work.DisposeAsync();
        sweep.Dispose();
        var isInOrder = false;
        try
        {
            await DamageWriter.SaveAsync(mayUseReserve: true); // A pool that refuses writes leaves word, too.
            if (Failure.First is null) isInOrder = await CloseInOrderAsync();
        }
        finally
        {
            Parts.Dispose();
            try
            {
                await Parts.Device.DisposeAsync();
            }
            finally
            {
                try
                {
                    await CloseStoreAsync(isInOrder);
                }
                finally
                {
                    await Parts.Events.DisposeAsync(); // Last: an observer that is stuck keeps nothing open.
                }
            }
        }
    }

    /// <summary>Waits until what opening the pool, and requests so far, have left to do in the background is done.</summary>
    internal async ValueTask WaitForBackgroundAsync()
    {
        await sweep.WaitAsync();
        await Parts.Reclaimer.WaitAsync();
        await Task.WhenAny(Recheck.Idle);
        await Parts.Events.WaitAsync();
    }

    // A file system that does not even tell its free space fails those who need the space; who only asks gets the rest.
    long? FindFreeSpaceBelow()
    {
        try
        {
            return (Parts.Device as IReservableDevice)?.FreeSpaceBelowBytes;
        }
        catch (StorageException)
        {
            return null;
        }
    }

    internal void ThrowIfClosed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref isClosed) != 0, this);

    // A disk without room for the last commit is left as a crash would leave it: nothing is lost, the next opening looks closer.
    async ValueTask<bool> CloseInOrderAsync()
    {
        try
        {
            await Commits.RunAsync(CommitScope.Checksums);
            await Parts.Markers.ClearAllAsync();
            await Parts.Reclaimer.DrainAsync(); // The next opening punches nothing if the pool was closed.
            var end = new WriteBatch();
            end.Delete(MapKeys.IsOpen);
            await Parts.Metadata.WriteAsync(end, Durability.Sync, mayUseReserve: true);
            Parts.Recent.Close(isNeeded: false);
            await superblocks.CloseAsync(Store.DurableSequence);
            return true;
        }
        catch (BlockDeviceException ill) when (ill is not DeviceFullException && Failure.First is null)
        {
            Parts.Events.Report(
                PoolEventKind.DamagedSuperblock,
                PoolEventSeverity.Warning,
                $"the superblock could not be written at the end; what was flushed is there: {ill.Message}",
                cause: ill);
        }
        catch (DeviceFullException full)
        {
            Parts.Events.Report(
                PoolEventKind.MetadataSpace,
                PoolEventSeverity.Warning,
                $"closed without its last commit, because there is no room for it; what was flushed is there: {full.Message}",
                cause: full);
        }

        return false;
    }

    async Task NoteStoreSequenceAsync()
    {
        try
        {
            if (await superblocks.NoteAsync(Store.DurableSequence, () => Commits.DataFlushes)) Commits.DeviceWritten();
        }
        catch (BlockDeviceException)
        {
            // The copy is written again at the next turn; the other one is whole. A device that is ill tells those who need it.
        }
    }

    void StartTimers()
    {
        var options = Parts.Options;
        commitTimer = options.TimeProvider.CreateTimer(
            static state => ((StoragePool)state!).CommitIfDirty(CommitScope.Flush), this, options.CommitInterval, options.CommitInterval);
        checksumTimer = options.TimeProvider.CreateTimer(
            static state => ((StoragePool)state!).CommitIfDirty(CommitScope.Checksums),
            this,
            options.ChecksumInterval,
            options.ChecksumInterval);
    }

    void CommitIfDirty(CommitScope scope)
    {
        if (scope == CommitScope.Checksums) AgeAccesses();
        if (scope == CommitScope.Checksums) DamageWriter.Begin(); // Reads go on where writes are refused, and meet what they meet.
        if (Failure.First is not null) return;
        if (scope == CommitScope.Checksums) Trash.RemoveExpired();
        _ = NoteStoreSequenceAsync();
        if (scope == CommitScope.Checksums || Commits.HasChangedMaps || Parts.Metadata.IsExhausted) Commits.Request(scope);
    }
}
