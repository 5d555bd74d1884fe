using System.Diagnostics.CodeAnalysis;
using Ashlar.Blocks;
using Ashlar.Nvme;

namespace Ashlar.Server;

/// <summary>
/// Every volume is an NVMe subsystem with one namespace. Every snapshot is one, too, write-protected and not listed: a host that connects
/// to all that it discovers must not find the same file system many times. Exports say who reaches which.
/// </summary>
sealed class VolumeNvmeSubsystems(ServedPools pools, ServedExports exports) : INvmeSubsystems
{
    public IReadOnlyList<string> List(ClientIdentity host) =>
    [
        .. pools.All.SelectMany(pool => pool.List()
            .Where(volume => exports.Decide(volume.Id, null, host).IsAllowed)
            .Select(volume => ExportNames.NvmeSubsystem(pool.Name, volume.Name))),
    ];

    public IReadOnlyList<DhChapAccount>? Demand(string name, ClientIdentity host)
    {
        var found = Find(name);
        return exports.DemandOfHost(found?.Id, found?.Snapshot, host);
    }

    public IReadOnlyList<DhChapAccount>? DemandAgain(string name, ClientIdentity host, string account) => exports.DemandAgain(account);

    public NvmeSubsystem? Open(string name, ClientIdentity host) =>
        ExportNames.ParseNvmeSubsystem(name) is var (poolName, volumeName)
        && pools.Find(poolName) is { } pool
        && TryAttach(pool, volumeName, host, out var id, out var session)
            ? new NvmeSubsystem(name, id, session)
            : null;

    VolumeAddress? Find(string name)
    {
        if (ExportNames.ParseNvmeSubsystem(name) is not var (pool, rest)) return null;
        var (volume, snapshot) = ExportNames.SplitSnapshot(rest, ':');
        return VolumeAddress.Find(pools, pool, volume, snapshot);
    }

    // A snapshot is another disk than its volume, also to a host that sees both.
    static bool TryAttach(
        ServedPool pool, string name, ClientIdentity host, out Guid id, [NotNullWhen(true)] out ClientSession? session)
    {
        var (volumeName, snapshot) = ExportNames.SplitSnapshot(name, ':');
        var isThere = snapshot is null
            ? pool.TryAttach(volumeName, host, out var served, out session)
            : pool.TryAttachSnapshot(volumeName, snapshot, host, out served, out session);
        id = isThere ? served!.Id : default;
        return isThere;
    }
}
