using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    internal Catalogue Catalogue { get; }

    internal VolumeRemover Remover { get; }

    internal VolumeResizer Resizer { get; }

    internal LeakedSpace Leaked { get; }

    /// <summary>
    /// Creates a volume; durable when the call returns. A thick one is there for others when all of its space is taken; if a crash
    /// or a failure comes before that, it never was.
    /// </summary>
    /// <exception cref="VolumeNameException">The name is not valid, or taken.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Size or block size are not possible.</exception>
    /// <exception cref="DeviceFullException">A thick volume does not fit, in the pool or below it; it was not created.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeInfo> CreateVolumeAsync(string name, VolumeOptions options)
    {
        ThrowIfClosed();
        VolumeName.Check(name);
        ArgumentNullException.ThrowIfNull(options);
        if (options.BlockSizeBytes is not (512 or 4096))
            throw new ArgumentOutOfRangeException(nameof(options), options.BlockSizeBytes, "The block size is 512 or 4096 bytes.");
        CheckSize(options.SizeBytes, options.BlockSizeBytes);
        Failure.ThrowIfLatched();
        if (!options.IsThick) return Describe(await Catalogue.CreateAsync(name, options));

        // Before the record, so that a pool without room refuses before anything is taken.
        using var reservation = await Parts.Throttle.ReserveThickAsync(
            $"{Name}/{name}", (options.SizeBytes + MapLayout.ChunkBytes - 1) / MapLayout.ChunkBytes);
        var volume = await Catalogue.CreateAsync(name, options);
        try
        {
            await Resizer.FillAsync(volume, options.SizeBytes, reservation);
        }
        catch
        {
            await Remover.UndoCreationAsync(volume);
            throw;
        }

        return Describe(volume);
    }

    /// <summary>All volumes, by name.</summary>
    public IReadOnlyList<VolumeInfo> ListVolumes() =>
        [.. Catalogue.Volumes.Select(Describe).OrderBy(volume => volume.Name, StringComparer.Ordinal)];

    /// <summary>Facts of one volume; null when there is none of that name.</summary>
    public VolumeInfo? FindVolume(string name) => Catalogue.Find(name) is { } volume ? Describe(volume) : null;

    /// <summary>The device of a volume, one and the same for every caller; null when there is none of that name.</summary>
    public IBlockDevice? OpenVolume(string name) => Catalogue.Find(name);

    /// <summary>
    /// Grows a volume, or shrinks it if <paramref name="allowShrink"/> is set: what lies beyond the end is discarded. Durable when
    /// the call returns. Other volumes can be changed meanwhile.
    /// </summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The size is not possible, or smaller than allowed.</exception>
    /// <exception cref="DeviceFullException">A thick volume cannot grow that far; it keeps its size.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeInfo> ResizeVolumeAsync(string name, long sizeBytes, bool allowShrink = false)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        var volume = Catalogue.Require(name);
        CheckSize(sizeBytes, volume.BlockSizeBytes);
        await Resizer.ResizeAsync(volume, sizeBytes, allowShrink);
        return Describe(volume);
    }

    /// <summary>
    /// Changes what clients may ask of a volume in a second; durable when the call returns. The pool keeps it, and whoever serves the
    /// volume enforces it.
    /// </summary>
    /// <param name="name">The volume.</param>
    /// <param name="change">Makes the new limits of the present ones; of two changes the second sees the first.</param>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    public async ValueTask<VolumeInfo> LimitVolumeAsync(string name, Func<RateLimits, RateLimits> change)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        var volume = Catalogue.Require(name);
        await Catalogue.LimitAsync(volume, change);
        return Describe(volume);
    }

    /// <summary>Fails unless a volume may have a name.</summary>
    /// <exception cref="VolumeNameException">The name is not valid.</exception>
    public static void CheckVolumeName(string name) => VolumeName.Check(name);

    /// <summary>Gives a volume another name; durable when the call returns. Whoever has its device goes on with it.</summary>
    /// <exception cref="VolumeNameException">There is no such volume, or the new name is not valid, or taken.</exception>
    public async ValueTask<VolumeInfo> RenameVolumeAsync(string name, string newName)
    {
        ThrowIfClosed();
        VolumeName.Check(newName);
        Failure.ThrowIfLatched();
        return Describe(await Catalogue.RenameAsync(name, newName));
    }

    /// <summary>
    /// Deletes a volume: it is gone for everyone, durably, when the call returns. Its space is given back in the background,
    /// which goes on when the pool is opened again.
    /// </summary>
    /// <param name="name">The volume.</param>
    /// <param name="withSnapshots">Whether its snapshots go, too.</param>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">It has snapshots and they are not to go, or clones need one of them.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeDeletion> DeleteVolumeAsync(string name, bool withSnapshots = false)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        var volume = await Catalogue.DeleteAsync(name, withSnapshots);
        CloseViews(volume);
        return Remover.Begin(volume);
    }

    // Takes in what was found at opening, and goes on with what a crash, or closing, interrupted.
    List<VolumeDevice> TakeIn(IReadOnlyList<(VolumeRecord Record, long Chunks)> records)
    {
        var volumes = new List<VolumeDevice>();
        foreach (var (record, chunks) in records)
        {
            // Nobody was told of a volume that did not come to be.
            var volume = new VolumeDevice(Parts, record.IsBeingCreated ? record with { State = VolumeState.Deleting } : record, chunks)
            {
                Snapshots = LoadSnapshots(Store, record.Lineage, Name),
            };
            volume.RefreshNewest();
            volumes.Add(volume);
            if (volume.Record.State != VolumeState.Deleting && !Catalogue.TryAdd(volume))
                throw new CorruptDataException(Name, 0, $"two volumes are called '{record.Name}'");
        }

        return volumes;
    }

    // What an earlier life had begun goes on.
    void Resume(IReadOnlyList<VolumeDevice> volumes)
    {
        foreach (var volume in volumes)
        {
            if (volume.Record.State == VolumeState.Deleting)
            {
                Remover.Begin(volume);
                continue;
            }

            if (volume.Record.State == VolumeState.Resizing) Resizer.Resume(volume);
            Restorer.Resume(volume);
            if (volume.Snapshots.Any(each => each.State == SnapshotState.Deleting)) _ = SnapshotRemover.Begin(volume);
        }

        if (Leaked.IsSuspected) Leaked.Reclaim();
        new FragmentSweep(Parts, Catalogue.FindLineage).Start();
    }

    static void CheckSize(long sizeBytes, int blockSizeBytes)
    {
        if (sizeBytes < blockSizeBytes || sizeBytes % blockSizeBytes != 0 || sizeBytes > MaxVolumeBytes)
            throw new ArgumentOutOfRangeException(
                nameof(sizeBytes),
                sizeBytes,
                $"The size of a volume is a multiple of its block size, {blockSizeBytes}, and at most {MaxVolumeBytes} bytes.");
    }
}
