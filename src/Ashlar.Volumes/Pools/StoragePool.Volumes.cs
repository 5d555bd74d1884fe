using System.Collections.Concurrent;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    readonly ConcurrentDictionary<string, ThinVolume> volumes = new(StringComparer.Ordinal);
    readonly SemaphoreSlim catalogueTurn = new(1, 1);
    readonly CancellationTokenSource stopping = new();
    PoolRecord poolRecord = null!;
    Task resuming = Task.CompletedTask;

    /// <summary>Creates a volume; durable when the call returns.</summary>
    /// <exception cref="VolumeNameException">The name is not valid, or taken.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Size or block size are not possible.</exception>
    /// <exception cref="DeviceFullException">A thick volume does not fit; it was not created.</exception>
    public async ValueTask<VolumeInfo> CreateVolumeAsync(string name, VolumeOptions options)
    {
        ThrowIfClosed();
        VolumeName.Check(name);
        ArgumentNullException.ThrowIfNull(options);
        if (options.BlockSizeBytes is not (512 or 4096))
            throw new ArgumentOutOfRangeException(nameof(options), options.BlockSizeBytes, "The block size is 512 or 4096 bytes.");
        CheckSize(options.SizeBytes, options.BlockSizeBytes);
        ThinVolume volume;
        await catalogueTurn.WaitAsync();
        try
        {
            Failure.ThrowIfLatched();
            if (volumes.ContainsKey(name)) throw new VolumeNameException(name, "the name is taken");
            var record = new VolumeRecord(
                Options.Entropy.NextGuid(),
                name,
                VolumeState.Ready,
                options.IsThick,
                poolRecord.NextLineage,
                Generation: 1,
                options.SizeBytes,
                options.BlockSizeBytes,
                DateTimeOffset.FromUnixTimeMilliseconds(Options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds()));
            var nextPoolRecord = poolRecord with { NextLineage = poolRecord.NextLineage + 1 };
            var batch = new WriteBatch();
            batch.Put(MapKeys.Pool, nextPoolRecord.ToBytes());
            batch.Put(MapKeys.Volume(record.Id), record.ToBytes());
            await WriteCatalogueAsync(batch);
            poolRecord = nextPoolRecord;
            volume = new ThinVolume(this, record, committedChunks: 0);
            Invariant.Require(volumes.TryAdd(name, volume));
        }
        finally
        {
            catalogueTurn.Release();
        }

        if (options.IsThick) await FillAsync(volume, 0, deleteIfFull: true);
        return ToInfo(volume);
    }

    /// <summary>All volumes, by name.</summary>
    public IReadOnlyList<VolumeInfo> ListVolumes() =>
        [.. volumes.Values.Select(ToInfo).OrderBy(volume => volume.Name, StringComparer.Ordinal)];

    /// <summary>Facts of one volume; null when there is none of that name.</summary>
    public VolumeInfo? FindVolume(string name) => volumes.TryGetValue(name, out var volume) ? ToInfo(volume) : null;

    /// <summary>The device of a volume, one and the same for every caller; null when there is none of that name.</summary>
    public IBlockDevice? OpenVolume(string name) => volumes.GetValueOrDefault(name);

    /// <summary>
    /// Grows a volume, or shrinks it if <paramref name="allowShrink"/> is set: what lies beyond the end is discarded. Durable when
    /// the call returns.
    /// </summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The size is not possible, or smaller than allowed.</exception>
    /// <exception cref="DeviceFullException">A thick volume cannot grow that far; it keeps its size.</exception>
    public async ValueTask<VolumeInfo> ResizeVolumeAsync(string name, long sizeBytes, bool allowShrink = false)
    {
        ThrowIfClosed();
        await catalogueTurn.WaitAsync();
        try
        {
            Failure.ThrowIfLatched();
            var volume = Require(name);
            CheckSize(sizeBytes, volume.BlockSizeBytes);
            var before = volume.SizeBytes;
            if (sizeBytes < before && !allowShrink)
                throw new ArgumentOutOfRangeException(
                    nameof(sizeBytes), sizeBytes, $"Volume '{name}' has {before} bytes; shrinking it discards data and must be allowed.");
            if (sizeBytes < before) await ShrinkAsync(volume, before, sizeBytes);
            else if (sizeBytes > before) await GrowAsync(volume, before, sizeBytes);
            return ToInfo(volume);
        }
        finally
        {
            catalogueTurn.Release();
        }
    }

    /// <summary>
    /// Deletes a volume. It is gone for everyone, durably, before its space is given back; the call returns when that is done,
    /// and a crash in between is made up for when the pool is opened.
    /// </summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    public async ValueTask DeleteVolumeAsync(string name)
    {
        ThrowIfClosed();
        ThinVolume volume;
        await catalogueTurn.WaitAsync();
        try
        {
            Failure.ThrowIfLatched();
            volume = Require(name);
            var batch = new WriteBatch();
            var record = volume.Record with { State = VolumeState.Deleting };
            batch.Put(MapKeys.Volume(record.Id), record.ToBytes());
            await WriteCatalogueAsync(batch);
            volume.Record = record;
            volume.MarkDeleted();
            volumes.TryRemove(name, out _);
        }
        finally
        {
            catalogueTurn.Release();
        }

        await FreeVolumeAsync(volume, CancellationToken.None);
    }

    // Crash order of freeing a deleted volume: the record stays, as deleting, until no leaf is left; so whatever a crash leaves
    // behind is found by the next open. Leaves go like discarded ones: with their bitmaps, quarantined, in bounded commits.
    async Task FreeVolumeAsync(ThinVolume volume, CancellationToken cancellationToken)
    {
        await volume.UnmapFromAsync(0, volume.SizeBytes, cancellationToken);
        await Commits.RunAsync(CommitScope.Checksums);
        Markers.Drop(volume.Lineage);
        Cache.Drop(volume);
        var batch = new WriteBatch();
        using (var markers = Store.Scan(KeyRange.Prefix(MapKeys.Marker(volume.Lineage, 0).AsSpan(0, 9))))
            while (markers.MoveNext()) batch.Delete(markers.Key);
        batch.Delete(MapKeys.Usage(volume.Lineage));
        batch.Delete(MapKeys.Volume(volume.Record.Id));
        await WriteCatalogueAsync(batch);
    }

    async Task ResumeDeletionsAsync(IReadOnlyList<ThinVolume> deleted)
    {
        try
        {
            foreach (var volume in deleted) await FreeVolumeAsync(volume, stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The next open goes on.
        }
        catch (Exception) when (Failure.First is not null)
        {
            // Latched; every later write says so.
        }
    }

    // Crash order of shrinking: refuse what lies beyond the end, unmap it, commit that, and only then remember the size. The
    // other way round a crash would leave a tail that comes back as data when the volume grows.
    async ValueTask ShrinkAsync(ThinVolume volume, long before, long after)
    {
        volume.SetSize(after);
        if (Options.Has(PlantedBugs.ShrinkBeforeUnmap)) await RememberSizeAsync(volume, after);
        await volume.UnmapFromAsync(after, before, CancellationToken.None);
        await Commits.RunAsync(CommitScope.Flush);
        await RememberSizeAsync(volume, after);
    }

    async ValueTask GrowAsync(ThinVolume volume, long before, long after)
    {
        await RememberSizeAsync(volume, after);
        volume.SetSize(after);
        if (!volume.IsThick) return;
        try
        {
            await FillAsync(volume, before, deleteIfFull: false);
        }
        catch (DeviceFullException)
        {
            await ShrinkAsync(volume, after, before);
            throw;
        }
    }

    async ValueTask RememberSizeAsync(ThinVolume volume, long sizeBytes)
    {
        var record = volume.Record with { SizeBytes = sizeBytes };
        var batch = new WriteBatch();
        batch.Put(MapKeys.Volume(record.Id), record.ToBytes());
        await WriteCatalogueAsync(batch);
        volume.Record = record;
    }

    async ValueTask FillAsync(ThinVolume volume, long from, bool deleteIfFull)
    {
        try
        {
            await volume.WriteZeroesAsync(
                new Lba(from / volume.BlockSizeBytes),
                (volume.SizeBytes - from) / volume.BlockSizeBytes,
                ZeroOptions.KeepAllocated | ZeroOptions.ForceUnitAccess);
        }
        catch (DeviceFullException) when (deleteIfFull)
        {
            await DeleteVolumeAsync(volume.Record.Name);
            throw;
        }
    }

    async ValueTask WriteCatalogueAsync(WriteBatch batch)
    {
        try
        {
            await Store.WriteAsync(batch, Durability.Sync);
        }
        catch (Exception cause)
        {
            Failure.Latch(cause);
            throw Failure.ToError(cause);
        }
    }

    ThinVolume Require(string name) =>
        volumes.TryGetValue(name, out var volume) ? volume : throw new VolumeNameException(name, "there is no such volume");

    static void CheckSize(long sizeBytes, int blockSizeBytes)
    {
        if (sizeBytes < blockSizeBytes || sizeBytes % blockSizeBytes != 0 || sizeBytes > MaxVolumeBytes)
            throw new ArgumentOutOfRangeException(
                nameof(sizeBytes),
                sizeBytes,
                $"The size of a volume is a multiple of its block size, {blockSizeBytes}, and at most {MaxVolumeBytes} bytes.");
    }

    static VolumeInfo ToInfo(ThinVolume volume) => new(
        volume.Record.Id,
        volume.Record.Name,
        volume.SizeBytes,
        volume.BlockSizeBytes,
        volume.AllocatedBytes,
        volume.Record.CreatedAt)
    {
        IsThick = volume.IsThick,
    };
}
