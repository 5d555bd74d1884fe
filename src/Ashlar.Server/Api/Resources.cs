using Ashlar.Api;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Objects of the API, made of what the pools know.</summary>
static class Resources
{
    public static Volume Volume(Endpoints endpoints, ServedPool pool, VolumeInfo info)
    {
        var target = ExportNames.IscsiTarget(pool.Name, info.Name);
        return new()
        {
            Pool = pool.Name,
            Name = info.Name,
            Id = info.Id,
            SizeBytes = info.SizeBytes,
            BlockSizeBytes = info.BlockSizeBytes,
            IsThick = info.IsThick,
            Limits = info.Limits.IsNone ? null : new(info.Limits.Iops, info.Limits.BytesPerSecond),
            Description = info.Attributes.Description is { Length: > 0 } description ? description : null,
            Labels = info.Attributes.Labels is { IsEmpty: false } labels ? labels : null,
            TrashSeconds = (long?)info.Attributes.TrashRetention?.TotalSeconds,
            AllocatedBytes = info.AllocatedBytes,
            CreatedAt = info.CreatedAt,
            Clients = pool.ClientsOf(info.Name),
            UnverifiedBlocks = info.UnverifiedBlocks,
            DamagedBlocks = info.DamagedBlocks,
            DamagedMapPieces = info.DamagedMapPieces,
            SnapshotCount = info.SnapshotCount,
            Origin = info.Origin,
            IsRestoring = info.IsRestoring ? true : null,
            SnapshotSchedule = pool.ScheduleOf(info),
            Resize = info.Resize is { } resize ? new(resize.FromBytes, resize.ToBytes, resize.DoneBytes) : null,
            IsWriteProtected = pool.FrontOf(info.Name)?.Access.IsWriteProtected ?? false,
            Addresses = new(
                Nbd: $"{endpoints.Nbd}/{ExportNames.Nbd(pool.Name, info.Name)}",
                Iscsi: $"iscsi://{endpoints.Iscsi}/{target}/0",
                IscsiTarget: target,
                IscsiPortal: endpoints.Iscsi)
            {
                NvmeSubsystem = endpoints.Nvme is null ? null : ExportNames.NvmeSubsystem(pool.Name, info.Name),
                NvmePortal = endpoints.Nvme,
            },
        };
    }

    public static Snapshot Snapshot(Endpoints endpoints, ServedPool pool, string volume, SnapshotInfo info, bool isMeasured = false)
    {
        var target = ExportNames.IscsiTarget(pool.Name, volume, info.Name);
        return new()
        {
            Pool = pool.Name,
            Volume = volume,
            Name = info.Name,
            Id = info.Id,
            SizeBytes = info.SizeBytes,
            BlockSizeBytes = info.BlockSizeBytes,
            CreatedAt = info.CreatedAt,
            FreedBytes = isMeasured ? info.IsDeleted ? 0 : pool.Measure(volume, [info.Name]) : null,
            Clones = info.Clones,
            IsDeleted = info.IsDeleted,
            IsScheduled = pool.IsScheduled(info),
            Clients = pool.ClientsOf(info),
            Addresses = new(
                Nbd: $"{endpoints.Nbd}/{ExportNames.Nbd(pool.Name, volume)}@{info.Name}",
                Iscsi: $"iscsi://{endpoints.Iscsi}/{target}/0",
                IscsiTarget: target,
                IscsiPortal: endpoints.Iscsi)
            {
                NvmeSubsystem = endpoints.Nvme is null ? null : ExportNames.NvmeSubsystem(pool.Name, volume, info.Name),
                NvmePortal = endpoints.Nvme,
            },
        };
    }

    public static Pool Pool(PoolEntry entry)
    {
        var devices = RaidDescription.Devices(entry)
            ??
            [
                .. entry.Record.Devices
                    .Where(static device => !device.IsGone)
                    .Select(device => Device(entry, device.PathIn(entry.DirectoryPath))),
            ];
        if (entry.Served is { } served)
        {
            var pool = Pool(served);
            IReadOnlyList<string> all = [.. RaidDescription.Warnings(entry), .. pool.Warnings];
            return pool with { Devices = devices, Raid = RaidDescription.Set(entry), Warnings = all, Health = Health(all) };
        }
        IReadOnlyList<string> warnings = entry.Problem is { } problem
            ? [$"pool {entry.Name} is not available: {problem}; mend that and start the server again, or import the pool from where its "
                + "devices are now"]
            : [];
        return new()
        {
            Name = entry.Name,
            CapacityBytes = 0,
            AllocatedBytes = 0,
            FreeBytes = 0,
            ProvisionedBytes = 0,
            VolumeCount = 0,
            State = entry.Problem is null ? PoolStates.Exported : PoolStates.Unavailable,
            Reason = entry.Problem,
            Devices = devices,
            Raid = RaidDescription.Set(entry),
            SoftThresholdPercent = entry.Record.Settings.SoftPercent,
            HardThresholdPercent = entry.Record.Settings.HardPercent,
            Health = Health(warnings),
            Warnings = warnings,
        };
    }

    public static Api.TrashedVolume Trashed(ServedPool pool, Ashlar.Volumes.TrashedVolume trashed) => new()
    {
        Pool = pool.Name,
        Name = trashed.Volume.Name,
        Id = trashed.Volume.Id,
        SizeBytes = trashed.Volume.SizeBytes,
        IsThick = trashed.Volume.IsThick,
        AllocatedBytes = trashed.Volume.AllocatedBytes,
        CreatedAt = trashed.Volume.CreatedAt,
        DeletedAt = trashed.DeletedAt,
        ExpiresAt = trashed.ExpiresAt,
    };

    public static Pool Pool(ServedPool pool)
    {
        var usage = pool.Usage;
        var statistics = pool.Statistics;
        var damage = pool.Damage;
        var (settings, untilFull) = (pool.Settings, pool.UntilFull);
        IReadOnlyList<string> warnings =
            [.. PoolWarnings.Of(pool.Name, usage, settings, statistics, damage, untilFull), .. pool.SizeWarnings];
        return new()
        {
            Name = pool.Name,
            CapacityBytes = usage.CapacityBytes,
            AllocatedBytes = usage.AllocatedBytes,
            FreeBytes = usage.FreeBytes,
            FreeSpaceBelowBytes = usage.FreeSpaceBelowBytes,
            ProvisionedBytes = usage.ProvisionedBytes,
            TrashBytes = usage.TrashBytes,
            TrashCount = pool.ListTrash().Count,
            TrashSeconds = (long)pool.TrashRetention.TotalSeconds,
            VolumeCount = pool.List().Count,
            OvercommitRatio = Math.Round(usage.OvercommitRatio, 4),
            SoftThresholdPercent = settings.SoftPercent,
            HardThresholdPercent = settings.HardPercent,
            SecondsUntilFull = untilFull is { } time ? (long)time.TotalSeconds : null,
            Health = Health(warnings),
            Warnings = warnings,
            DamagedBlocks = damage.Blocks,
            DamagedMapPieces = damage.MapPieces,
            DamagedVolumes = damage.Volumes.Count == 0 ? null : damage.Volumes,
            UnverifiedBlocks = statistics.UnverifiedBlocks,
            Check = Check(statistics.Recovery),
            Deletions = statistics.Deletions is { Volumes: > 0 } deletions
                ? new(deletions.Volumes, deletions.TotalBytes, deletions.FreedBytes)
                : null,
        };
    }

    static PoolDeviceInfo Device(PoolEntry entry, string path) => new(path)
    {
        IsLeaving = entry.Served is { } served
            && entry.Devices.FindPart(path) is { } part
            && served.IsBarred(part.OffsetBytes)
                ? true
                : null,
    };

    public static string Health(IReadOnlyCollection<string> warnings) => warnings.Count == 0 ? "ok" : "degraded";

    static RunningCheck? Check(RecoveryProgress progress) =>
        progress.IsRunning
            ? new(progress.TotalLeaves * StoragePool.LeafBytes, progress.DoneLeaves * StoragePool.LeafBytes, progress.CheckedBlocks)
            : null;
}
