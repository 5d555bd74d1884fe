using Ashlar.Api;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Reads all blocks of a pool's volumes and compares them with their checksums.</summary>
sealed class ScrubWork(StoragePool pool) : ITaskWork
{
    readonly PoolScrub scrub = pool.CreateScrub();

    public string Type => "scrub";

    public TaskProgress Progress
    {
        get
        {
            var volumes = scrub.Volumes;
            return new(
                scrub.TotalBytes,
                scrub.DoneBytes,
                [.. volumes.Where(volume => volume.DamagedBlocks > 0 || volume.DamagedMapPieces > 0).Select(Describe)],
                [.. volumes.Select(each => new ScrubbedVolume(each.Name, each.BlocksRead, each.DamagedBlocks, each.DamagedMapPieces))]);
        }
    }

    public async Task RunAsync(TaskContext context) => await scrub.RunAsync(context.PaceAsync, context.Stop.Token);

    static string Describe(VolumeScrub volume)
    {
        var (blocks, pieces) = (volume.DamagedBlocks, volume.DamagedMapPieces);
        return $"volume {volume.Name}: {blocks} damaged {(blocks == 1 ? "block" : "blocks")}"
            + (pieces > 0 ? $", {pieces} damaged {(pieces == 1 ? "piece" : "pieces")} of its map" : "");
    }
}
