using Ashlar.KeyValue;

namespace Ashlar.Volumes;

/// <summary>
/// Leaves that were changed in some generations, each once, ascending, page by page: what it takes of memory does not grow with the volume,
/// and no cursor stays open while the caller works on a page.
/// </summary>
/// <param name="scan">Reads the store.</param>
/// <param name="pageLeaves">How many it finds at a time.</param>
sealed class ChangedLeafList(Func<KeyRange, KeyValueCursor> scan, int pageLeaves = 1 << 16)
{
    /// <summary>Leaves that a volume has changed in any of some ranges of generations, after the first, up to the second of each.</summary>
    public IEnumerable<long> Read(long lineage, params IEnumerable<(long After, long UpTo)> ranges)
    {
        var all = ranges.ToArray();
        for (var (page, next) = (ReadPage(0), 0L); page.Count > 0; page = ReadPage(next))
        {
            foreach (var leaf in page) yield return leaf;
            if (page.Count < pageLeaves) yield break;
            next = page.Max + 1;
        }

        SortedSet<long> ReadPage(long first)
        {
            // Anew for each page: meanwhile a leaf may have been changed in a generation that was not there before.
            var page = new SortedSet<long>();
            foreach (var (after, upTo) in all)
                foreach (var generation in ListGenerations(lineage, after + 1, upTo)) AddTo(page, lineage, generation, first);
            return page;
        }
    }

    /// <summary>
    /// Leaves of a range that a volume has changed in generations after one, up to another; in no order, and perhaps more than once.
    /// </summary>
    public IEnumerable<long> ReadRange(long lineage, long after, long upTo, long firstLeaf, long endLeaf)
    {
        foreach (var generation in ListGenerations(lineage, after + 1, upTo))
        {
            using var cursor = scan(KeyRange.Between(
                MapKeys.Change(lineage, generation, firstLeaf), MapKeys.Change(lineage, generation, endLeaf)));
            while (cursor.MoveNext()) yield return MapKeys.ReadChange(cursor.Key).LeafIndex;
        }
    }

    // The smallest ones of all generations.
    void AddTo(SortedSet<long> page, long lineage, long generation, long first)
    {
        using var cursor = scan(KeyRange.Between(
            MapKeys.Change(lineage, generation, first), MapKeys.Change(lineage, generation + 1, 0)));
        while (cursor.MoveNext())
        {
            var leaf = MapKeys.ReadChange(cursor.Key).LeafIndex;
            if (page.Count == pageLeaves && leaf > page.Max) return;
            if (page.Add(leaf) && page.Count > pageLeaves) page.Remove(page.Max);
        }
    }

    // One seek for each.
    List<long> ListGenerations(long lineage, long first, long last)
    {
        var found = new List<long>();
        while (first <= last)
        {
            using var cursor = scan(KeyRange.Between(MapKeys.Change(lineage, first, 0), MapKeys.Change(lineage, last + 1, 0)));
            if (!cursor.MoveNext()) return found;
            var generation = MapKeys.ReadChange(cursor.Key).Generation;
            found.Add(generation);
            first = generation + 1;
        }

        return found;
    }
}
