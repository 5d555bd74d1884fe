using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Blocks.Raid;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Reads all blocks of a pool's volumes and compares them with their checksums.</summary>
/// <param name="pool">The pool.</param>
/// <param name="raid">The RAID set below, whose stripes are looked at after that; null where there is none.</param>
sealed class ScrubWork(StoragePool pool, RaidArray? raid) : ITaskWork
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    readonly PoolScrub scrub = pool.CreateScrub(looksAtCopies: raid?.Level is RaidLevel.Raid1 or RaidLevel.Raid10);
    readonly RaidArray? raid = raid is { CopyCount: > 1 } ? raid : null;
    volatile RaidScrubStatus? stripes;

    public string Type => "scrub";

    // Two copies that differ are told of, and left: nothing tells which of them is right.
    bool IsRepairing => raid?.Level is RaidLevel.Raid5 or RaidLevel.Raid6;

    public TaskProgress Progress
    {
        get
        {
            var volumes = scrub.Volumes;
            var (total, done) = (scrub.TotalBytes, scrub.DoneBytes);
            if (raid is not null) (total, done) = (total + (stripes?.TotalBytes ?? 0), done + (stripes?.DoneBytes ?? 0));
            return new(
                total,
                done,
                [
                    .. volumes.Where(volume => volume.DamagedBlocks > 0 || volume.DamagedMapPieces > 0).Select(Describe),
                    .. Describe(stripes),
                ],
                [.. volumes.Select(each => new ScrubbedVolume(each.Name, each.BlocksRead, each.DamagedBlocks, each.DamagedMapPieces))],
                stripes is { } found ? new(found.Inconsistent, found.Unreadable, found.Repaired, found.Uncertain) : null);
        }
    }

    // First what checksums tell: what is wrong then is mended from what is right, so that the stripes can take data for right.
    public async Task RunAsync(TaskContext context)
    {
        await scrub.RunAsync(context.PaceAsync, context.Stop.Token);
        if (raid is null) return;
        await LookAtStripesAsync(raid, context);
        if (raid.Uncertain is not { Count: > 0 } uncertain) return;
        // The pool knows more than what its volumes hold by now: snapshots, what is in the trash, and what is nobody's.
        await raid.LookAgainAsync(await pool.ReadChecksumsAsync(uncertain));
        stripes = raid.Scrub;
    }

    async Task LookAtStripesAsync(RaidArray set, TaskContext context)
    {
        var run = set.StartScrub(IsRepairing, pace: context.WaitAfter);
        try
        {
            while (true)
            {
                var now = set.Scrub;
                if (now.Run == run) stripes = now;
                if (now.Run == run && now.Failure is { } failure) throw new DeviceIOException(set.Name, failure, isTransient: false);
                if (now.Run == run && now.IsFinished) return;
                await Task.Delay(Interval, context.Stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            set.StopScrub();
            throw;
        }
    }

    IEnumerable<string> Describe(RaidScrubStatus? found)
    {
        if (found is null) yield break;
        if (!IsRepairing && found.Inconsistent > found.Repaired)
        {
            yield return $"{Count(found.Inconsistent - found.Repaired, "stripe")} of the RAID set differ from copy to copy where no "
                + "checksum tells which is right, and are left as they are";
        }
        else if (found.Uncertain > 0)
        {
            yield return $"{Count(found.Uncertain, "stripe")} of the RAID set hold what does not belong together, and are left as they "
                + "are: nothing tells which part is wrong";
        }
        if (IsRepairing && found.Inconsistent + found.Unreadable - found.Repaired - found.Uncertain is > 0 and var left)
            yield return $"{Count(left, "stripe")} of the RAID set could not be repaired";
    }

    static string Count(long count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";

    static string Describe(VolumeScrub volume)
    {
        var (blocks, pieces) = (volume.DamagedBlocks, volume.DamagedMapPieces);
        return $"volume {volume.Name}: {blocks} damaged {(blocks == 1 ? "block" : "blocks")}"
            + (pieces > 0 ? $", {pieces} damaged {(pieces == 1 ? "piece" : "pieces")} of its map" : "");
    }
}
