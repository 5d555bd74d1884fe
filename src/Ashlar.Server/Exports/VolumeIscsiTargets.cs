using Ashlar.Blocks;
using Ashlar.Iscsi;

namespace Ashlar.Server;

/// <summary>
/// Every volume is an iSCSI target with one logical unit, number 0. Every snapshot is one, too, write-protected and not listed:
/// an initiator that logs in to all that it discovers must not find the same file system many times. Exports say who reaches which.
/// </summary>
sealed class VolumeIscsiTargets(ServedPools pools, ServedExports exports) : IIscsiTargets
{
    public IReadOnlyList<string> List(ClientIdentity initiator) =>
    [
        .. pools.All.SelectMany(pool => pool.List()
            .Where(volume => exports.Decide(volume.Id, null, initiator).IsAllowed)
            .Select(volume => ExportNames.IscsiTarget(pool.Name, volume.Name))),
    ];

    public ChapDemand? Demand(string? target, ClientIdentity initiator)
    {
        if (target is null) return exports.DemandOfDiscovery(initiator);
        var found = Find(target);
        return exports.Demand(found?.Id, found?.Snapshot, initiator);
    }

    public IscsiTarget? Open(string target, ClientIdentity initiator)
    {
        if (Find(target) is not { } found) return null;
        return found.Snapshot is { } snapshot
            ? found.Pool.TryAttachSnapshot(found.Volume, snapshot, initiator, out var volume, out var session)
                ? new IscsiTarget(Fold(target), [new IscsiLun(0, volume.Id, session)])
                : null
            : found.Pool.TryAttach(found.Volume, initiator, out volume, out session)
                ? new IscsiTarget(Fold(target), [new IscsiLun(0, volume.Id, session)])
                : null;
    }

    // Names of ours have no capitals, and iSCSI names are to be folded (RFC 3722); not every initiator does.
    static string Fold(string target) => target.ToLowerInvariant();

    VolumeAddress? Find(string target)
    {
        if (ExportNames.ParseIscsiTarget(Fold(target)) is not var (pool, name)) return null;
        var (volume, snapshot) = ExportNames.SplitSnapshot(name, ':');
        return VolumeAddress.Find(pools, pool, volume, snapshot);
    }
}
