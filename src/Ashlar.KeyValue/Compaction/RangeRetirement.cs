using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Decides, for each edit that changes tables, which deleted ranges the manifest lists from then on (invariant I9).</summary>
/// <remarks>
/// A range is listed from the edit on that makes the log obsolete in which it was deleted, up to the first by which no table may hold an
/// entry that it deleted. Memtables need not be looked at: the oldest is flushed first, so those that are left are newer. Nor do flushes
/// that come later bring anything older. A range also goes if one that is newer has all of its keys, and nobody reads between the two:
/// everybody who sees it sees that one.
/// </remarks>
static class RangeRetirement
{
    /// <summary>Adds to an edit, before it is written, which ranges come and go; gives those that are listed after it.</summary>
    /// <param name="edit">The edit, with the tables that it takes away and adds.</param>
    /// <param name="state">What the manifest says before it; the manifest's gate is held.</param>
    /// <param name="tables">The tables before it.</param>
    /// <param name="removed">Those that go.</param>
    /// <param name="flushed">What was deleted in the memtable that becomes a table; null if none does, or nothing was.</param>
    /// <param name="readable">The sequences that readers may read at, ascending; who comes later reads at the last or above it.</param>
    public static RangeTombstones? Follow(
        ManifestEdit edit, ManifestState state, TableSet tables, Table[] removed, RangeTombstones? flushed, ReadOnlySpan<ulong> readable)
    {
        if (state.Ranges.Count == 0 && flushed is null) return null;
        var gone = removed.ToHashSet();
        var added = flushed is null ? [] : flushed.All;
        var listed = new List<RangeTombstone>();
        foreach (var range in state.Ranges.Values)
        {
            if (IsNeeded(range, tables, gone, edit) && !IsReplaced(range, added, readable)) listed.Add(range);
            else edit.RetiredRanges.Add(range.Sequence);
        }

        for (var i = 0; i < added.Length; i++)
        {
            if (!IsNeeded(added[i], tables, gone, edit) || IsReplaced(added[i], added[(i + 1)..], readable)) continue;
            listed.Add(added[i]);
            edit.AddedRanges.Add(added[i]);
        }

        RequireRetiredRightly(edit, state, listed);
        return RangeTombstones.Of(listed);
    }

    /// <summary>Adds to the edit of a recovery which of the ranges come that were deleted in its log.</summary>
    /// <param name="edit">The edit, with the table that it adds.</param>
    /// <param name="state">What the manifest says before it; the manifest's gate is held.</param>
    /// <param name="recovered">The ranges.</param>
    /// <param name="lastSequence">Who comes later reads there or above it; nobody is there yet.</param>
    public static void AddRecovered(ManifestEdit edit, ManifestState state, RangeTombstones recovered, ulong lastSequence)
    {
        TableInfo[] tables = [.. state.Tables.Values, .. edit.AddedTables];
        var all = recovered.All;
        for (var i = 0; i < all.Length; i++)
        {
            var range = all[i];
            if (Array.Exists(tables, table => table.MayHoldDeletedBy(range)) && !IsReplaced(range, all[(i + 1)..], [lastSequence]))
                edit.AddedRanges.Add(range);
        }
    }

    static bool IsNeeded(RangeTombstone range, TableSet tables, HashSet<Table> gone, ManifestEdit edit)
    {
        foreach (var table in edit.AddedTables)
        {
            if (table.MayHoldDeletedBy(range)) return true;
        }

        foreach (var table in tables.LevelZero)
        {
            if (table.Info.MayHoldDeletedBy(range) && !gone.Contains(table)) return true;
        }

        for (var level = 1; level < tables.Levels.Length; level++)
        {
            var inLevel = tables.Levels[level];
            for (var at = LevelIterator.FindTable(inLevel, range.Start); at < inLevel.Length; at++)
            {
                if (range.End is not null && KeyOrder.Instance.Compare(inLevel[at].Info.SmallestKey, range.End) >= 0) break;
                if (inLevel[at].Info.MayHoldDeletedBy(range) && !gone.Contains(inLevel[at])) return true;
            }
        }

        return false;
    }

    // If the newer one is not listed either, no table may hold what it deleted, nor so what this one did.
    static bool IsReplaced(RangeTombstone range, ReadOnlySpan<RangeTombstone> newer, ReadOnlySpan<ulong> readable)
    {
        foreach (var other in newer)
        {
            if (!other.Contains(range)) continue;
            var first = readable.BinarySearch(range.Sequence);
            if (first < 0) first = ~first;
            if (first < readable.Length && readable[first] >= other.Sequence) return true;
        }

        return false;
    }

    // What a range deleted would be back. By the manifest's own list of tables, not by the one that was decided from.
    static void RequireRetiredRightly(ManifestEdit edit, ManifestState state, List<RangeTombstone> listed)
    {
        foreach (var sequence in edit.RetiredRanges)
        {
            var range = state.Ranges[sequence];
            if (listed.Exists(other => other.Sequence > sequence && other.Contains(range))) continue;
            foreach (var table in state.Tables.Values)
                Invariant.Require(!table.MayHoldDeletedBy(range) || edit.RemovedTables.Contains(table.Id));
        }
    }
}
