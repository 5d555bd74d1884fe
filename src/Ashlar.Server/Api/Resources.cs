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
            AllocatedBytes = info.AllocatedBytes,
            CreatedAt = info.CreatedAt,
            Clients = pool.ClientsOf(info.Name),
            IsWriteProtected = pool.FrontOf(info.Name)?.Access.IsWriteProtected ?? false,
            Addresses = new(
                Nbd: $"{endpoints.Nbd}/{ExportNames.Nbd(pool.Name, info.Name)}",
                Iscsi: $"iscsi://{endpoints.Iscsi}/{target}/0",
                IscsiTarget: target,
                IscsiPortal: endpoints.Iscsi),
        };
    }

    public static Pool Pool(ServedPool pool)
    {
        var usage = pool.Usage;
        return new()
        {
            Name = pool.Name,
            CapacityBytes = usage.CapacityBytes,
            AllocatedBytes = usage.AllocatedBytes,
            FreeBytes = usage.FreeBytes,
            ProvisionedBytes = usage.ProvisionedBytes,
            VolumeCount = pool.List().Count,
        };
    }
}
