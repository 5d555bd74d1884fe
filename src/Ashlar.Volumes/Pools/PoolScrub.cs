using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Reads every block that volumes have, for themselves or for snapshots, as far as possible from the medium, and compares it with its
/// checksum, while everything else goes on. What it finds damaged is told and counted as if a request had met it. Made for one run.
/// </summary>
public sealed class PoolScrub
{
    const int PieceBytes = 256 * 1024;

    readonly StoragePool pool;
    readonly byte[]? copy; // What another copy holds.
    readonly List<VolumeScrub> volumes = [];
    readonly Lock gate = new();
    long totalBytes;
    long doneBytes;

    internal PoolScrub(StoragePool pool, bool looksAtCopies)
    {
        this.pool = pool;
        if (looksAtCopies) copy = GC.AllocateArray<byte>(PieceBytes, pinned: true);
    }

    /// <summary>What is to be read, as it was in the beginning; 0 until that has been counted.</summary>
    public long TotalBytes => Interlocked.Read(ref totalBytes);

    /// <summary>What was read.</summary>
    public long DoneBytes => Interlocked.Read(ref doneBytes);

    /// <summary>The volumes that it has come to, and what it found.</summary>
    public IReadOnlyList<VolumeScrub> Volumes
    {
        get
        {
            lock (gate) return [.. volumes];
        }
    }

    /// <summary>Reads all of it.</summary>
    /// <param name="pace">Called after so many bytes were read: returns when it may go on.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="DeviceIOException">The device is ill.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RunAsync(Func<long, CancellationToken, ValueTask> pace, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pace);
        VolumeInfo[] all;
        using (var view = await pool.OpenMapViewAsync()) all = [.. view.Volumes];
        Interlocked.Exchange(ref totalBytes, all.Sum(volume => volume.AllocatedBytes));
        var buffer = GC.AllocateArray<byte>(PieceBytes, pinned: true);
        foreach (var volume in all) await RunAsync(volume, buffer, pace, cancellationToken);
    }

    // Of each volume the map is looked at anew: a view is not kept for hours.
    async ValueTask RunAsync(
        VolumeInfo volume, byte[] buffer, Func<long, CancellationToken, ValueTask> pace, CancellationToken cancellationToken)
    {
        if (pool.Catalogue.Volumes.FirstOrDefault(each => each.Record.Id == volume.Id) is not { } device) return; // Deleted meanwhile.
        var found = new VolumeScrub(volume.Name);
        int index;
        lock (gate)
        {
            index = volumes.Count;
            volumes.Add(found);
        }
        void NoteDamagedMap(CorruptDataException _) => Note(found = found with { DamagedMapPieces = found.DamagedMapPieces + 1 });
        using (var view = await pool.OpenMapViewAsync())
        {
            if (view.Volumes.FirstOrDefault(each => each.Id == volume.Id) is not { } current) return;
            foreach (var run in view.ReadRuns(current, onDamage: NoteDamagedMap))
            {
                if (!run.HoldsData) Interlocked.Add(ref doneBytes, run.BlockCount * MapLayout.BlockBytes);
                else if (!await TryReadRunAsync(device, run.FirstBlock, run.BlockCount, run.PlaceBytes)) break; // It is gone, or shorter.
            }
        }

        await RunSnapshotsAsync(device, TryReadRunAsync, NoteDamagedMap);

        async ValueTask<bool> TryReadRunAsync(VolumeDevice source, long firstBlock, long blockCount, long? placeBytes)
        {
            const int step = PieceBytes / MapLayout.BlockBytes;
            for (long block = 0; block < blockCount; block += step)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = (int)Math.Min(step, blockCount - block);
                var place = placeBytes + (block * MapLayout.BlockBytes);
                var damaged = await TryReadAsync(source, firstBlock + block, place, buffer.AsMemory(0, count * MapLayout.BlockBytes));
                if (damaged < 0) return false;
                Note(found = found with { BlocksRead = found.BlocksRead + count, DamagedBlocks = found.DamagedBlocks + damaged });
                Interlocked.Add(ref doneBytes, count * MapLayout.BlockBytes);
                await pace(count * MapLayout.BlockBytes, cancellationToken);
            }

            return true;
        }

        void Note(VolumeScrub now)
        {
            lock (gate) volumes[index] = now;
        }
    }

    // Of each snapshot, the youngest first, what the next one, or the volume as it is, does not have: so each block is come to once.
    // Where that next one went meanwhile, not all of what the two shared may have been read.
    async ValueTask RunSnapshotsAsync(
        VolumeDevice volume, Func<VolumeDevice, long, long, long?, ValueTask<bool>> tryReadAsync, Action<CorruptDataException> onDamagedMap)
    {
        const long head = MapLayout.MaxNumber48 - 1;
        var next = head;
        if (pool.Parts.Failure.First is null) await pool.Parts.Committer.RunAsync(CommitScope.Flush); // The store tells what has changed.
        foreach (var snapshot in volume.Snapshots.OrderByDescending(static each => each.Generation))
        {
            var isThere = await TryReadSnapshotAsync(snapshot, next);
            if (isThere && next != head && pool.OpenView(volume, next) is null) isThere = await TryReadSnapshotAsync(snapshot, head);
            if (isThere) next = snapshot.Generation;
        }

        // False where it is gone before all of it was read.
        async ValueTask<bool> TryReadSnapshotAsync(SnapshotRecord snapshot, long against)
        {
            if (pool.OpenView(volume, snapshot.Generation) is not { } view) return false;
            foreach (var extent in pool.Diff.FindSince(volume, snapshot, against, onDamagedMap))
            {
                if (extent.IsZero) continue;
                var (first, count) = (extent.OffsetBytes / MapLayout.BlockBytes, extent.LengthBytes / MapLayout.BlockBytes);
                if (!await tryReadAsync(view, first, count, null)) return false;
            }

            return pool.OpenView(volume, snapshot.Generation) is not null;
        }
    }

    /// <summary>How many blocks of a piece are damaged; below zero when there is no such piece any more.</summary>
    /// <param name="volume">Whose.</param>
    /// <param name="firstBlock">Where it begins.</param>
    /// <param name="placeBytes">Where it lies on the device, if that is one place.</param>
    /// <param name="buffer">Gets it.</param>
    async ValueTask<int> TryReadAsync(VolumeDevice volume, long firstBlock, long? placeBytes, Memory<byte> buffer)
    {
        // What the system's cache has says nothing of the medium.
        if (placeBytes is not { } place) await volume.DropCachedAsync(firstBlock * MapLayout.BlockBytes, buffer.Length);
        else if (pool.Parts.Device is ICachingDevice cache)
            cache.DropCached(new Lba(place / cache.Geometry.BlockSizeBytes), buffer.Length / cache.Geometry.BlockSizeBytes);
        if (await TryReadAsync(volume, firstBlock * MapLayout.BlockBytes, buffer) is { } whole)
        {
            if (whole == 0 && copy is not null) await LookAtCopiesAsync(volume, firstBlock * MapLayout.BlockBytes, placeBytes, buffer);
            return whole;
        }

        var damaged = 0;
        for (var block = 0; block < buffer.Length / MapLayout.BlockBytes; block++)
        {
            var offset = (firstBlock + block) * MapLayout.BlockBytes;
            if (await TryReadAsync(volume, offset, buffer[..MapLayout.BlockBytes]) is null) damaged++;
        }

        return damaged;
    }

    // What was read is right. Where another copy holds something else, be it that it was just written, each is looked at.
    async ValueTask LookAtCopiesAsync(VolumeDevice volume, long offsetBytes, long? placeBytes, Memory<byte> right)
    {
        if (pool.Parts.Device is not IRedundantDevice { CopyCount: > 1 } device) return;
        var length = (int)(Math.Min(right.Length, volume.SizeBytes - offsetBytes) / MapLayout.BlockBytes * MapLayout.BlockBytes);
        if (length <= 0) return;
        try
        {
            if (placeBytes is not { } bytes)
            {
                await volume.MendCopiesAsync(offsetBytes, length);
                return;
            }

            var place = new Lba(bytes / device.Geometry.BlockSizeBytes);
            for (var way = 0; way < device.CopyCount; way++)
            {
                if (!await device.ReadCopyAsync(place, copy.AsMemory(0, length), way)) continue;
                if (copy.AsSpan(0, length).SequenceEqual(right.Span[..length])) continue;
                await volume.MendCopiesAsync(offsetBytes, length);
                return;
            }
        }
        catch (Exception e) when (e is VolumeDeletedException or BlockDeviceException or CorruptDataException)
        {
            // It is gone, or its map is damaged, or the device gives out: who reads there is told.
        }
    }

    // Null where it is damaged.
    static async ValueTask<int?> TryReadAsync(VolumeDevice volume, long offsetBytes, Memory<byte> buffer)
    {
        var length = (int)Math.Min(buffer.Length, volume.SizeBytes - offsetBytes);
        if (length <= 0) return -1;
        try
        {
            await volume.ReadUncountedAsync(offsetBytes, buffer[..length]);
            return 0;
        }
        catch (Exception damage) when (damage is CorruptDataException or BadBlockException or DeviceIOException { IsTransient: false })
        {
            return volume.IsRestoring ? -1 : null; // One that goes back to a snapshot just now has nothing to say.
        }
        catch (Exception gone) when (gone is VolumeDeletedException or BlockRangeException)
        {
            return -1;
        }
    }
}

/// <summary>What a scrub found of a volume so far.</summary>
/// <param name="Name">The volume, as it was called then.</param>
public sealed record VolumeScrub(string Name)
{
    /// <summary>Blocks of 4,096 bytes that were read.</summary>
    public long BlocksRead { get; init; }

    /// <summary>Those of them that do not match their checksum, or cannot be read.</summary>
    public long DamagedBlocks { get; init; }

    /// <summary>MiB whose piece of the map cannot be read.</summary>
    public long DamagedMapPieces { get; init; }
}
