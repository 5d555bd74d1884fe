using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    /// <summary>How long deleted volumes stay in the trash where neither pool nor volume says anything.</summary>
    public static readonly TimeSpan DefaultTrashRetention = TimeSpan.FromHours(24);

    internal Trash Trash { get; }

    /// <summary>How long deleted volumes stay in the trash, unless one says itself; zero for not at all.</summary>
    /// <exception cref="CorruptDataException">What is stored is none.</exception>
    public TimeSpan TrashRetention
    {
        get
        {
            if (Store.Get(MapKeys.TrashRetention) is not { } value) return DefaultTrashRetention;
            if (value.Length == sizeof(long)
                && BinaryPrimitives.ReadInt64LittleEndian(value) is >= 0 and var milliseconds
                && milliseconds <= VolumeAttributes.MaxTrashRetention.TotalMilliseconds)
                return TimeSpan.FromMilliseconds(milliseconds);
            throw new CorruptDataException(Name, 0, $"time in the trash: {value.Length} bytes that are none");
        }
    }

    /// <summary>Says how long volumes stay in the trash that are deleted from now on. Durable when the call returns.</summary>
    /// <exception cref="ArgumentException">It is not possible.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask SetTrashRetentionAsync(TimeSpan retention)
    {
        ThrowIfClosed();
        VolumeAttributes.CheckTrashRetention(retention);
        var value = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(value, (long)retention.TotalMilliseconds);
        var batch = new WriteBatch();
        batch.Put(MapKeys.TrashRetention, value);
        await Parts.Metadata.WriteAsync(batch, Durability.Sync, mayUseReserve: false);
    }

    /// <summary>
    /// Moves a volume to the trash: it is gone for everyone and its name is free, durably, when the call returns; it keeps its space, and
    /// can be restored, for as long as it or the pool says, or until the pool needs the space. Deletes it at once where that is not at all.
    /// </summary>
    /// <param name="name">The volume.</param>
    /// <param name="withSnapshots">Whether its snapshots go with it, and come back with it.</param>
    /// <returns>Where it is now; null when it is deleted.</returns>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">It has snapshots and they are not to go, or clones need one of them.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<TrashedVolume?> TrashVolumeAsync(string name, bool withSnapshots = false)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        var retention = Catalogue.Require(name).Record.Attributes.TrashRetention ?? TrashRetention;
        if (retention > TimeSpan.Zero)
        {
            var trashed = await Catalogue.TrashAsync(name, retention, withSnapshots);
            CloseViews(trashed);
            return TrashedVolume.Of(trashed);
        }

        await DeleteVolumeAsync(name, withSnapshots);
        return null;
    }

    /// <summary>The volumes in the trash, the oldest there first.</summary>
    public IReadOnlyList<TrashedVolume> ListTrash() => [.. Catalogue.Trash.Select(TrashedVolume.Of).OfType<TrashedVolume>()];

    /// <summary>Restores a volume from the trash as it was, also under another name; durable when the call returns.</summary>
    /// <returns>The volume; null when it is not in the trash.</returns>
    /// <exception cref="VolumeNameException">The name is not valid, or taken by now.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeInfo?> RestoreVolumeAsync(Guid id, string? newName = null)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        if (newName is not null) VolumeName.Check(newName);
        return await Catalogue.RestoreAsync(id, newName) is { } volume ? VolumeInfo.Of(volume) : null;
    }

    /// <summary>Deletes a volume in the trash for good, durably when the call returns; its space is given back in the background.</summary>
    /// <returns>What remains to be done; null when it is not in the trash.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeDeletion?> PurgeVolumeAsync(Guid id)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        return await Trash.PurgeAsync(id, why: null);
    }

    /// <summary>
    /// Lets the oldest volumes of the trash go, for so many bytes: for whoever sees that what lies below the pool gets short. Nothing when
    /// the trash does not hold so much.
    /// </summary>
    /// <returns>Whether space comes back now.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> MakeRoomAsync(long bytes)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        return await Trash.MakeRoomAsync((bytes + MapLayout.ChunkBytes - 1) / MapLayout.ChunkBytes);
    }

    /// <summary>Changes what people say of a volume; durable when the call returns.</summary>
    /// <param name="name">The volume.</param>
    /// <param name="change">Makes the new attributes of the present ones; of two changes the second sees the first.</param>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="ArgumentException">The new attributes are not possible.</exception>
    public async ValueTask<VolumeInfo> DescribeVolumeAsync(string name, Func<VolumeAttributes, VolumeAttributes> change)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        var volume = Catalogue.Require(name);
        await Catalogue.DescribeAsync(volume, change);
        return VolumeInfo.Of(volume);
    }
}
