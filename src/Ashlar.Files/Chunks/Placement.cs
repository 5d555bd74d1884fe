using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>A node that a block may be put on.</summary>
/// <param name="Id">The node.</param>
/// <param name="Domain">What is lost together.</param>
/// <param name="FreeBytes">What it may still take.</param>
/// <param name="QueueLength">What it has to do.</param>
/// <param name="IsAvoided">Whether it failed a moment ago, or is nearly full.</param>
readonly record struct PlacementCandidate(NodeId Id, string Domain, long FreeBytes, int QueueLength, bool IsAvoided);

/// <summary>Which nodes a block is put on.</summary>
/// <remarks>
/// Of two that are drawn by their free space the one with less to do is taken (Mitzenmacher, "The Power of Two Choices", 2001). A node
/// that is new and empty counts as twice as empty as the one in the middle at most: it would get all that is new, and all that is read
/// soon after.
/// Domains that have no copy yet come first, and nodes that failed a moment ago last.
/// </remarks>
static class Placement
{
    const int WeightCap = 2;

    /// <summary>All candidates, in the order in which they are to be tried.</summary>
    public static List<NodeId> Order(
        IReadOnlyCollection<PlacementCandidate> candidates, IEnumerable<string> usedDomains, IEntropySource entropy)
    {
        var left = candidates.ToList();
        var used = usedDomains.ToHashSet(StringComparer.Ordinal);
        var order = new List<NodeId>();
        while (left.Count > 0)
        {
            var best = left.Min(Rank);
            var eligible = left.FindAll(candidate => Rank(candidate) == best);
            var (one, other) = (Draw(eligible, entropy), Draw(eligible, entropy));
            var chosen = other.QueueLength < one.QueueLength ? other : one;
            order.Add(chosen.Id);
            used.Add(chosen.Domain);
            left.Remove(chosen);
        }

        return order;

        int Rank(PlacementCandidate candidate) => (candidate.IsAvoided ? 2 : 0) + (used.Contains(candidate.Domain) ? 1 : 0);
    }

    static PlacementCandidate Draw(List<PlacementCandidate> candidates, IEntropySource entropy)
    {
        var cap = WeightCap * Median(candidates);
        var weights = candidates.ConvertAll(candidate => (double)Math.Max(1, Math.Min(candidate.FreeBytes, cap)));
        var place = (entropy.NextUInt64() >> 11) * (1.0 / (1UL << 53)) * weights.Sum();
        for (var i = 0; i < candidates.Count - 1; i++)
        {
            place -= weights[i];
            if (place < 0) return candidates[i];
        }

        return candidates[^1];
    }

    static long Median(List<PlacementCandidate> candidates)
    {
        var sorted = candidates.ConvertAll(candidate => candidate.FreeBytes);
        sorted.Sort();
        return Math.Min(sorted[(sorted.Count - 1) / 2], long.MaxValue / WeightCap);
    }
}
