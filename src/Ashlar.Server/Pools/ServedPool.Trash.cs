using Ashlar.Storage;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

sealed partial class ServedPool
{
    /// <summary>How long deleted volumes stay in the trash, unless one says itself.</summary>
    public TimeSpan TrashRetention => pool.TrashRetention;

    /// <summary>The volumes in the trash, the oldest there first.</summary>
    public IReadOnlyList<TrashedVolume> ListTrash() => pool.ListTrash();

    /// <summary>A volume in the trash.</summary>
    public TrashedVolume GetTrashed(Guid id) =>
        ListTrash().FirstOrDefault(trashed => trashed.Volume.Id == id) ?? throw NotInTrash(id);

    /// <summary>Restores a volume from the trash.</summary>
    /// <param name="id">The volume.</param>
    /// <param name="newName">The name that it gets; null for the one that it had.</param>
    /// <param name="by">Address of who asks for it, for the log.</param>
    public async Task<VolumeInfo> RestoreAsync(Guid id, string? newName, string by)
    {
        var name = newName ?? GetTrashed(id).Volume.Name;
        try
        {
            var restored = await pool.RestoreVolumeAsync(id, newName) ?? throw NotInTrash(id);
            report(VolumeEvents.Restored(Name, restored, by));
            return restored;
        }
        catch (VolumeNameException e) when (e.Problem == VolumeNameProblem.Taken)
        {
            throw new ApiException(ProblemKind.Exists, $"volume {Name}/{name} exists already") { Hint = "restore it under another name" };
        }
    }

    /// <summary>Deletes a volume in the trash for good.</summary>
    /// <param name="id">The volume.</param>
    /// <param name="by">Address of who asks for it, for the log.</param>
    public async Task PurgeAsync(Guid id, string by)
    {
        var trashed = GetTrashed(id);
        if (await pool.PurgeVolumeAsync(id) is null) throw NotInTrash(id);
        guard?.Reservations.Forget(id);
        report(VolumeEvents.Purged(Name, trashed, by));
    }

    /// <summary>The volumes and their maps as they are now.</summary>
    public Task<MapView> OpenMapViewAsync() => pool.OpenMapViewAsync();

    /// <summary>What of a volume was read and written lately; null when there is none of that name.</summary>
    public AccessReport? FindAccesses(string name) => pool.FindAccesses(name);

    /// <summary>Says how long volumes stay in the trash that are deleted from now on.</summary>
    /// <param name="retention">For how long; zero for not at all.</param>
    /// <param name="by">Address of who asks for it, for the log.</param>
    public async Task KeepTrashAsync(TimeSpan retention, string by)
    {
        var before = pool.TrashRetention;
        if (retention == before) return;
        await pool.SetTrashRetentionAsync(retention);
        var message = $"pool {Name}: volumes stay in the trash for {retention.TotalSeconds} s, before for {before.TotalSeconds} s, by {by}";
        report(new(LogLevel.Information, LogEvents.PoolChanged, message) { Pool = Name, Address = by });
    }

    // What the pool has free is looked after by those who write; what lies below it, by whoever watches it.
    PoolUsage Look()
    {
        var usage = pool.GetUsage();
        if (usage.TrashBytes > 0 && SpaceShortages.IsLowBelow(usage)) _ = MakeRoomBelowAsync();
        return usage;
    }

    async Task MakeRoomBelowAsync()
    {
        try
        {
            await pool.MakeRoomAsync(1);
        }
        catch (Exception e) when (e is AshlarException or ObjectDisposedException)
        {
            // Tried again at the next look; a pool that takes no writes says so itself.
        }
    }

    ApiException NotInTrash(Guid id) => new(ProblemKind.NotInTrash, $"there is no volume {id} in the trash of pool {Name}");
}
