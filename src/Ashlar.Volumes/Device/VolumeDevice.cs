using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// The device of a volume. A request is cut by leaves; each piece runs under that leaf's write lock if it changes anything, and
/// under no lock if it reads.
/// </summary>
sealed partial class VolumeDevice : IBlockDevice
{
    readonly PoolParts parts;
    readonly DeviceCounters counters = new();
    VolumeRecord record;
    string name;
    long sizeBytes;
    long allocatedChunks;
    long cursor;
    long unverifiedBlocks;
    readonly Lock refreshing = new();
    long newestSnapshot;
    long previousSnapshot;
    VolumeParent? parent;
    IReadOnlyList<SnapshotRecord> snapshots = [];
    bool isDeleted;

    public VolumeDevice(PoolParts parts, VolumeRecord record, long committedChunks)
    {
        this.parts = parts;
        pressure = new MarkerPressure(parts.Options.TimeProvider);
        this.record = record;
        sizeBytes = record.SizeBytes;
        Lineage = record.Lineage;
        parent = parts.Versions.Parents.GetValueOrDefault(Lineage);
        BlockSizeBytes = record.BlockSizeBytes;
        name = $"{parts.Name}/{record.Name}";
        CommittedChunks = allocatedChunks = committedChunks;
        isDeleted = record.State == VolumeState.Deleting || record.Trashed is not null;
    }

    /// <summary>What tells whether a block holds what it should.</summary>
    public BlockChecksum Checksum => parts.Checksum;

    public string Name => Volatile.Read(ref name);

    /// <summary>Blocks that were taken as they were found, because a crash had struck while they were being overwritten.</summary>
    public long UnverifiedBlocks => Interlocked.Read(ref unverifiedBlocks);

    /// <summary>What requests have met damaged and nobody has healed.</summary>
    public (long Blocks, long MapPieces) Damage => parts.Damage.CountOf(Lineage);

    /// <summary>Where its leaves are kept.</summary>
    public KeyValueStore Store => parts.Store;

    /// <summary>Number under which the leaves are kept in the store.</summary>
    public long Lineage { get; }

    /// <summary>The generation that a read-only view of a snapshot shows; null for the volume itself.</summary>
    public long? AsOf { get; init; }

    /// <summary>The snapshot that this volume is a clone of; null for any other volume, and for one that needs it no longer.</summary>
    public VolumeParent? Parent
    {
        get => Volatile.Read(ref parent);
        set => Volatile.Write(ref parent, value);
    }

    /// <summary>Under which numbers leaves of it may be kept: its own, and those of what it came from.</summary>
    public IEnumerable<long> Lineages
    {
        get
        {
            yield return Lineage;
            if (IsBeingDeleted) yield break; // It gives back what is its own.
            for (var lineage = Lineage; parts.Versions.Parents.TryGetValue(lineage, out var origin); lineage = origin.Lineage)
                yield return origin.Lineage;
        }
    }

    /// <summary>
    /// Generation of the newest snapshot of it, of one that is being taken included; 0 when there is none. What was changed up to then is
    /// kept when it changes again.
    /// </summary>
    public long NewestSnapshot
    {
        get => Volatile.Read(ref newestSnapshot);
    }

    /// <summary>The same for whoever changes something in a generation: what he changes belongs to the snapshot that ends it.</summary>
    public long NewestBefore(long generation) =>
        NewestSnapshot is var newest && newest < generation ? newest : Volatile.Read(ref previousSnapshot);

    /// <summary>Its snapshots, oldest first; those that are being taken or given back included. Only the catalogue changes it, under its
    /// lock.</summary>
    public IReadOnlyList<SnapshotRecord> Snapshots
    {
        get => Volatile.Read(ref snapshots);
        set => Volatile.Write(ref snapshots, value);
    }

    /// <summary>Where its blocks go that do not go home.</summary>
    public VolumeFragments Fragments { get; } = new();

    public int BlockSizeBytes { get; }

    /// <summary>Leaves in memory.</summary>
    public LeafTable Leaves { get; } = new();

    /// <summary>Chunks that the persisted leaves own. Only the commit changes it.</summary>
    public long CommittedChunks { get; set; }

    /// <summary>Held by whoever changes the volume's size or takes it apart. Whoever holds it may wait for the catalogue's turn.</summary>
    public AsyncLock Turn { get; } = new();

    /// <summary>What the catalogue says. Only the catalogue changes it, under its lock.</summary>
    public VolumeRecord Record
    {
        get => Volatile.Read(ref record);
        set
        {
            if (value.Name != Record.Name) Volatile.Write(ref name, $"{parts.Name}/{value.Name}");
            Volatile.Write(ref record, value);
        }
    }

    public long SizeBytes => Interlocked.Read(ref sizeBytes);

    public long AllocatedBytes => Interlocked.Read(ref allocatedChunks) * MapLayout.ChunkBytes;

    public bool IsThick => record.IsThick;

    public bool IsReadOnly => AsOf is not null;

    public BlockGeometry Geometry =>
        new(BlockSizeBytes, SizeBytes / BlockSizeBytes, MapLayout.BlockBytes, MapLayout.ChunkBytes, IsThick)
        {
            MaxAtomicWriteBytes = IsThick ? 0 : MapLayout.LeafBytes, // It takes new places, which a thick volume was never promised.
        };

    /// <summary>From now on requests see the new size. Whoever holds a leaf's lock checks it again.</summary>
    public void SetSize(long value) => Interlocked.Exchange(ref sizeBytes, value);

    /// <summary>
    /// Whether every request fails, because it is in the trash or deleted. Only the catalogue changes it, under its lock.
    /// </summary>
    public bool IsGone
    {
        get => Volatile.Read(ref isDeleted);
        set => Volatile.Write(ref isDeleted, value);
    }

    /// <summary>The snapshot of a name that is there for everyone; one that is being taken has its name already.</summary>
    public SnapshotRecord? FindSnapshot(string snapshotName) =>
        Snapshots.FirstOrDefault(each => each.Name == snapshotName && each.State != SnapshotState.Deleting);

    /// <summary>The record of a snapshot has changed.</summary>
    public void Replace(SnapshotRecord changed) =>
        Snapshots = [.. Snapshots.Select(each => each.Generation == changed.Generation ? changed : each)];

    /// <summary>Generations that are needed: of snapshots that are there or being taken, and of those that clones came from.</summary>
    public IReadOnlyList<long> NeededGenerations =>
    [
        .. Snapshots.Where(each => each.State != SnapshotState.Deleting || IsCloned(each.Generation)).Select(each => each.Generation),
    ];

    /// <summary>Whether a clone came from a snapshot and still needs it.</summary>
    public bool IsCloned(long generation) => parts.Versions.Parents.Values.Contains(new VolumeParent(Lineage, generation));

    /// <summary>
    /// Looks again which snapshots need something: one is about to be taken, or some are gone and what was kept for them may be
    /// overwritten.
    /// </summary>
    public void RefreshNewest()
    {
        lock (refreshing)
        {
            var needed = NeededGenerations.OrderDescending().Take(2).ToArray();
            Volatile.Write(ref previousSnapshot, needed.ElementAtOrDefault(1));
            Interlocked.Exchange(ref newestSnapshot, needed.ElementAtOrDefault(0));
        }
    }

    /// <summary>Adds what the persisted leaves own to the batch by which that changes.</summary>
    public void AddUsage(WriteBatch batch)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(value, CommittedChunks);
        batch.Put(MapKeys.Usage(Lineage), value);
    }

    /// <summary>It owns a fragment chunk more, or less.</summary>
    public void CountFragmentChunk(int change) => Interlocked.Add(ref allocatedChunks, change);

    /// <summary>Whether it gives back what it has; nothing that it shares with its origin is its own.</summary>
    public bool IsBeingDeleted => Record.State == VolumeState.Deleting;

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            ThrowIfUnusable();
            if (AsOf is null) await parts.Committer.RunAsync(CommitScope.Flush);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountFlush();
    }

    public DeviceStatistics GetStatistics() => counters.Snapshot();

    /// <summary>Does nothing: the device belongs to the pool and is shared by everyone who uses the volume.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    void ThrowIfUnusable()
    {
        if (Volatile.Read(ref isDeleted)) throw new VolumeDeletedException(Name);
        ObjectDisposedException.ThrowIf(parts.IsClosed, parts.Name);
        if (isRestoring) throw new DeviceIOException(Name, "it is being taken back to a snapshot", isTransient: false);
    }

    (long Offset, long Length) CheckRange(Lba start, long lengthBytes)
    {
        ThrowIfUnusable();
        if (lengthBytes % BlockSizeBytes != 0) throw new BlockAlignmentException(Name, lengthBytes, BlockSizeBytes);
        Geometry.CheckRange(Name, start, lengthBytes / BlockSizeBytes);
        return (start.ToOffsetBytes(BlockSizeBytes), lengthBytes);
    }

    void ThrowIfReadOnly()
    {
        if (IsReadOnly) throw new DeviceReadOnlyException(Name);
    }

    public void CountUnverified() => Interlocked.Increment(ref unverifiedBlocks);

    // Called again under a leaf's write lock: the volume may have been shrunk or deleted while the request waited for it. What
    // such a late-comer wrote would never be found, or would come back when the volume grows.
    void CheckStillThere(long endBytes)
    {
        ThrowIfUnusable();
        parts.Failure.ThrowIfLatched();
        if (endBytes > SizeBytes)
            throw new BlockRangeException(Name, new Lba(endBytes / BlockSizeBytes), 0, SizeBytes / BlockSizeBytes);
    }

    Lba DeviceLba(long offsetBytes) => new(offsetBytes / parts.Device.Geometry.BlockSizeBytes);

    void ThrowIfDamaged(Leaf leaf)
    {
        if (leaf.Damage is not { } damage) return;
        parts.Damage.CountMap();
        throw new CorruptDataException(damage.FilePath, damage.OffsetBytes, damage.Problem)
        {
            Block = leaf.Index * MapLayout.LeafBytes / BlockSizeBytes,
        };
    }

    // What covers a leaf, as far as it belongs to the volume, needs nothing of what the leaf said before.
    bool CoversWhole(Leaf leaf, int offset, int length) =>
        offset == 0 && length >= Math.Min(MapLayout.LeafBytes, SizeBytes - (leaf.Index * MapLayout.LeafBytes));

    CorruptDataException Corrupt(Leaf leaf, int block, long offsetBytes, uint expected, uint actual)
    {
        var lba = ((leaf.Index * MapLayout.LeafBytes) + ((long)block * MapLayout.BlockBytes)) / BlockSizeBytes;
        var error = new CorruptDataException(
            parts.Device.Name,
            offsetBytes,
            $"volume {Name}, block {lba}: checksum mismatch: expected {expected:x8}, found {actual:x8}")
        {
            Block = lba,
        };
        if (AsOf is null) parts.Damage.AddBlock(leaf, block, error);
        return error;
    }
}
