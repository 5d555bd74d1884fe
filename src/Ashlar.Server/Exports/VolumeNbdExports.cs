using Ashlar.Blocks;
using Ashlar.Nbd;

namespace Ashlar.Server;

/// <summary>Every volume is an NBD export.</summary>
sealed class VolumeNbdExports(ServedPools pools) : INbdExports
{
    public IReadOnlyList<string> List() =>
        [.. pools.All.SelectMany(pool => pool.List().Select(volume => ExportNames.Nbd(pool.Name, volume.Name)))];

    public NbdExportInfo? Find(string name)
    {
        var (poolName, volumeName) = ExportNames.ParseNbd(name);
        return pools.Find(poolName)?.Find(volumeName) is { } volume ? Describe(poolName, volumeName, volume.SizeBytes) : null;
    }

    public NbdExport? Open(string name, ClientIdentity client)
    {
        var (poolName, volumeName) = ExportNames.ParseNbd(name);
        return pools.Find(poolName) is { } pool && pool.TryAttach(volumeName, client, out _, out var session)
            ? new NbdExport(Describe(poolName, volumeName, session.SizeBytes), session)
            : null;
    }

    static NbdExportInfo Describe(string poolName, string volumeName, long sizeBytes) =>
        new(ExportNames.Nbd(poolName, volumeName), sizeBytes, IsReadOnly: false, $"volume {poolName}/{volumeName}");
}
