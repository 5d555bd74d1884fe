using Ashlar.Nbd;

namespace Ashlar.Server;

/// <summary>Every volume is an NBD export.</summary>
sealed class VolumeNbdExports(ServedPools pools) : INbdExports
{
    public IReadOnlyList<string> List() =>
        [.. pools.All.SelectMany(pool => pool.List().Select(volume => ExportNames.Nbd(pool.Name, volume.Name)))];

    public NbdExport? Open(string name)
    {
        var (poolName, volumeName) = ExportNames.ParseNbd(name);
        return pools.Find(poolName) is { } pool && pool.TryOpen(volumeName, ClientProtocol.Nbd, out var volume, out var lease)
            ? new NbdExport(ExportNames.Nbd(poolName, volumeName), volume.Driver, $"volume {poolName}/{volumeName}", lease)
            : null;
    }
}
