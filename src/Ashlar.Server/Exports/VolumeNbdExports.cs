using Ashlar.Blocks;
using Ashlar.Nbd;

namespace Ashlar.Server;

/// <summary>
/// Every volume is an NBD export. Every snapshot is one, too, to be read, for whoever knows its name; it is not listed, so that who takes
/// all that there is does not take a hundred states of it. What the server calls exports says who reaches which.
/// </summary>
sealed class VolumeNbdExports(ServedPools pools, ServedExports exports) : INbdExports
{
    public IReadOnlyList<string> List(ClientIdentity client) =>
    [
        .. pools.All.SelectMany(pool => pool.List()
            .Where(volume => exports.Decide(volume.Id, null, client).IsAllowed)
            .Select(volume => ExportNames.Nbd(pool.Name, volume.Name))),
    ];

    public NbdExportInfo? Find(string name, ClientIdentity client)
    {
        var (poolName, volumeName, snapshotName) = Parse(name);
        if (VolumeAddress.Find(pools, poolName, volumeName, snapshotName) is not { Pool: var pool, Id: var id }) return null;
        // Who is not let in is not told that there is something.
        if (exports.Decide(id, snapshotName, client) is not { IsAllowed: true } decision) return null;
        if (snapshotName is null)
        {
            return pool.Find(volumeName) is { } volume
                ? Describe(poolName, volumeName, volume.SizeBytes, decision.IsReadOnly)
                : null;
        }
        return pool.FindSnapshot(volumeName, snapshotName) is { } snapshot
            ? DescribeSnapshot(poolName, volumeName, snapshotName, snapshot.SizeBytes)
            : null;
    }

    public NbdExport? Open(string name, ClientIdentity client)
    {
        var (poolName, volumeName, snapshotName) = Parse(name);
        if (pools.Find(poolName) is not { } pool) return null;
        if (snapshotName is null)
        {
            return pool.TryAttach(volumeName, client, out _, out var session)
                ? new NbdExport(Describe(poolName, volumeName, session.SizeBytes, session.IsReadOnly), session)
                {
                    OpenChanges = since => pool.OpenChanges(volumeName, null, since),
                }
                : null;
        }
        return pool.TryAttachSnapshot(volumeName, snapshotName, client, out _, out var reader)
            ? new NbdExport(DescribeSnapshot(poolName, volumeName, snapshotName, reader.SizeBytes), reader)
            {
                OpenChanges = since => pool.OpenChanges(volumeName, snapshotName, since),
            }
            : null;
    }

    // Whoever may read the export may know what of it has changed, whether he may read the older state or not.
    public IReadOnlyList<string> ListOrigins(string name, ClientIdentity client)
    {
        var (poolName, volumeName, snapshotName) = Parse(name);
        return Find(name, client) is null || pools.Find(poolName) is not { } pool ? [] : pool.ListOlder(volumeName, snapshotName);
    }

    static (string Pool, string Volume, string? Snapshot) Parse(string name)
    {
        var (pool, volume) = ExportNames.ParseNbd(name);
        var (volumeName, snapshot) = ExportNames.SplitSnapshot(volume, '@');
        return (pool, volumeName, snapshot);
    }

    static NbdExportInfo Describe(string poolName, string volumeName, long sizeBytes, bool isReadOnly) =>
        new(ExportNames.Nbd(poolName, volumeName), sizeBytes, isReadOnly, $"volume {poolName}/{volumeName}");

    static NbdExportInfo DescribeSnapshot(string poolName, string volumeName, string snapshotName, long sizeBytes) => new(
        $"{ExportNames.Nbd(poolName, volumeName)}@{snapshotName}",
        sizeBytes,
        IsReadOnly: true,
        $"snapshot {poolName}/{volumeName}@{snapshotName}");
}
