using System.Diagnostics.CodeAnalysis;
using Ashlar.Blocks;
using Ashlar.Iscsi;

namespace Ashlar.Server;

/// <summary>
/// Every volume is an iSCSI target with one logical unit, number 0. Every snapshot is one, too, write-protected and not listed:
/// an initiator that logs in to all that it discovers must not find the same file system many times.
/// </summary>
sealed class VolumeIscsiTargets(ServedPools pools) : IIscsiTargets
{
    public IReadOnlyList<string> List() =>
        [.. pools.All.SelectMany(pool => pool.List().Select(volume => ExportNames.IscsiTarget(pool.Name, volume.Name)))];

    // Names of ours have no capitals, and iSCSI names are to be folded (RFC 3722); not every initiator does.
    public IscsiTarget? Open(string target, ClientIdentity initiator) =>
        target.ToLowerInvariant() is var name
        && ExportNames.ParseIscsiTarget(name) is var (poolName, volumeName)
        && pools.Find(poolName) is { } pool
        && TryAttach(pool, volumeName, initiator, out var volume, out var session)
            ? new IscsiTarget(name, [new IscsiLun(0, volume.Id, session)])
            : null;

    static bool TryAttach(
        ServedPool pool,
        string name,
        ClientIdentity initiator,
        [NotNullWhen(true)] out ServedVolume? volume,
        [NotNullWhen(true)] out ClientSession? session) => ExportNames.SplitSnapshot(name, ':') is (var volumeName, { } snapshot)
            ? pool.TryAttachSnapshot(volumeName, snapshot, initiator, out volume, out session)
            : pool.TryAttach(name, initiator, out volume, out session);
}
