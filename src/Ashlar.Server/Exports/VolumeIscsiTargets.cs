using Ashlar.Blocks;
using Ashlar.Iscsi;

namespace Ashlar.Server;

/// <summary>Every volume is an iSCSI target with one logical unit, number 0.</summary>
sealed class VolumeIscsiTargets(ServedPools pools) : IIscsiTargets
{
    public IReadOnlyList<string> List() =>
        [.. pools.All.SelectMany(pool => pool.List().Select(volume => ExportNames.IscsiTarget(pool.Name, volume.Name)))];

    // Names of ours have no capitals, and iSCSI names are to be folded (RFC 3722); not every initiator does.
    public IscsiTarget? Open(string target, ClientIdentity initiator) =>
        target.ToLowerInvariant() is var name
        && ExportNames.ParseIscsiTarget(name) is var (poolName, volumeName)
        && pools.Find(poolName) is { } pool
        && pool.TryAttach(volumeName, initiator, out var volume, out var session)
            ? new IscsiTarget(name, [new IscsiLun(0, volume.Id, session)])
            : null;
}
