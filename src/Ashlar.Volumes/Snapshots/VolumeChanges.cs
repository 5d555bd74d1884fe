using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>What of a volume, or of a snapshot of it, differs from an older snapshot.</summary>
/// <param name="volume">The volume.</param>
/// <param name="shown">What is asked about: the volume, or a view of a snapshot.</param>
/// <param name="since">Generation of the older snapshot.</param>
sealed class VolumeChanges(VolumeDevice volume, VolumeDevice shown, long since) : IChangeMap
{
    /// <remarks>
    /// Order: first the maps, then whether the snapshots are still there. A snapshot is called deleted before anybody may overwrite what it
    /// shares with the volume, so whoever finds it there afterwards has compared with what it holds.
    /// </remarks>
    public int DescribeChanges(Lba start, long blockCount, Span<BlockChange> runs)
    {
        ThrowIfGone();
        var count = shown.DescribeChanges(since, start, blockCount, runs);
        ThrowIfGone();
        return count;
    }

    void ThrowIfGone()
    {
        if (volume.IsGone || !IsThere(since) || (shown.AsOf is { } until && !IsThere(until)))
            throw new ChangesUnknownException(shown.Name);
    }

    bool IsThere(long generation) =>
        volume.Snapshots.Any(each => each.Generation == generation && each.State == SnapshotState.Ready);
}
