using Ashlar.Api;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>What of a volume is damaged, as ranges: neighbours are one.</summary>
static class DamagedRanges
{
    const int MaxListed = 1000;

    /// <summary>The first ranges in order; null when there are none.</summary>
    public static IReadOnlyList<VolumeRange>? Of(IEnumerable<DamagedRange> damage)
    {
        var ranges = new List<VolumeRange>();
        foreach (var each in damage)
        {
            if (ranges is [.., var last] && last.OffsetBytes + last.LengthBytes == each.OffsetBytes)
                ranges[^1] = last with { LengthBytes = last.LengthBytes + each.LengthBytes };
            else if (ranges.Count < MaxListed) ranges.Add(new(each.OffsetBytes, each.LengthBytes));
            else break;
        }

        return ranges.Count == 0 ? null : ranges;
    }
}
