using Ashlar.Api;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>What an answer tells of a volume's bytes: ranges in order, of which neighbours are one.</summary>
static class VolumeRanges
{
    const int MaxListed = 1000;

    /// <summary>What is damaged; null when nothing is.</summary>
    public static IReadOnlyList<VolumeRange>? Of(IEnumerable<DamagedRange> damage) =>
        Join(damage.Select(each => new VolumeRange(each.OffsetBytes, each.LengthBytes)));

    /// <summary>What is not verified since a crash; null when everything is.</summary>
    public static IReadOnlyList<VolumeRange>? Of(IEnumerable<UnverifiedBlock> blocks) =>
        Join(blocks.Select(block => block.OffsetBytes).Order().Select(offset => new VolumeRange(offset, StoragePool.BlockBytes)));

    /// <summary>Whether there is more than ranges tell.</summary>
    public static bool AreCut(IReadOnlyList<VolumeRange>? ranges, long blocks, long mapPieces = 0) =>
        (ranges ?? []).Sum(range => range.LengthBytes) < (blocks * StoragePool.BlockBytes) + (mapPieces * StoragePool.LeafBytes);

    // The first ones, where there are very many.
    static List<VolumeRange>? Join(IEnumerable<VolumeRange> pieces)
    {
        var ranges = new List<VolumeRange>();
        foreach (var piece in pieces)
        {
            if (ranges is [.., var last] && last.OffsetBytes + last.LengthBytes == piece.OffsetBytes)
                ranges[^1] = last with { LengthBytes = last.LengthBytes + piece.LengthBytes };
            else if (ranges.Count < MaxListed) ranges.Add(piece);
            else break;
        }

        return ranges.Count == 0 ? null : ranges;
    }
}
