using Ashlar.Api;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Blocks that are not verified since a crash, as ranges: neighbours are one.</summary>
static class UnverifiedRanges
{
    const int BlockBytes = 4096;

    /// <summary>The ranges in order; null when there are none.</summary>
    public static IReadOnlyList<VolumeRange>? Of(IEnumerable<UnverifiedBlock> blocks)
    {
        var ranges = new List<VolumeRange>();
        foreach (var offset in blocks.Select(block => block.OffsetBytes).Order())
        {
            if (ranges is [.., var last] && last.OffsetBytes + last.LengthBytes == offset)
                ranges[^1] = last with { LengthBytes = last.LengthBytes + BlockBytes };
            else ranges.Add(new(offset, BlockBytes));
        }

        return ranges.Count == 0 ? null : ranges;
    }
}
