using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.SortedTable;

/// <summary>Which share of a table's entries range tombstones have deleted, about.</summary>
/// <param name="Newest">The newest tombstone that may have deleted any; 0 if none has.</param>
/// <param name="Share">The share.</param>
sealed record CoveredShare(ulong Newest, double Share)
{
    const int Samples = 8;

    // Where no tombstone is newer, the largest number there is stands for it.
    const ulong AnyTombstone = ulong.MaxValue - 1;

    /// <summary>None is covered.</summary>
    public static CoveredShare None { get; } = new(0, 0);

    /// <summary>
    /// The share that tombstones of the manifest have deleted for every reader. It is looked up again only where another tombstone came to
    /// it; where tombstones cover all of the table or nothing, no block is read.
    /// </summary>
    /// <param name="slot">The reader's, in the epoch.</param>
    /// <param name="table">The table.</param>
    /// <param name="ranges">All tombstones of the manifest.</param>
    /// <param name="oldestReadable">Nobody reads below it.</param>
    public static double Of(int slot, Table table, RangeTombstones ranges, ulong oldestReadable)
    {
        var info = table.Info;
        var newest = ranges.NewestWithin(info.SmallestKey, info.LargestKey, oldestReadable);
        if (newest <= Math.Max(info.MinSequence, info.RangesAppliedThrough)) return 0;
        var found = table.Covered;
        if (found.Newest != newest) table.Covered = found = new(newest, Look(slot, table, ranges, oldestReadable, known: null));
        return found.Share;
    }

    /// <summary>The share that tombstones have deleted which are newer than all of the table, and those of the manifest have not.</summary>
    /// <param name="slot">The reader's, in the epoch.</param>
    /// <param name="table">The table.</param>
    /// <param name="added">The tombstones.</param>
    /// <param name="known">Those of the manifest; null if there are none.</param>
    public static double OfAdded(int slot, Table table, RangeTombstones added, RangeTombstones? known)
    {
        var info = table.Info;
        if (added.NewestWithin(info.SmallestKey, info.LargestKey, ulong.MaxValue) == 0) return 0;
        if (known?.NewestWithin(info.SmallestKey, info.LargestKey, ulong.MaxValue) is null or 0) known = null;
        return Look(slot, table, added, AnyTombstone, known);
    }

    /// <summary>Whether a tombstone up to a sequence has deleted an entry.</summary>
    public static bool Covers(RangeTombstones ranges, ReadOnlySpan<byte> key, ulong sequence, ulong upTo) =>
        ranges.StretchOf(key).OldestAfter(sequence) <= upTo;

    static double Look(int slot, Table table, RangeTombstones ranges, ulong upTo, RangeTombstones? known)
    {
        var info = table.Info;
        if (known is not null && known.CoverAll(info.SmallestKey, info.LargestKey, info.MaxSequence, AnyTombstone)) return 0;
        if (known is null && ranges.CoverAll(info.SmallestKey, info.LargestKey, info.MaxSequence, upTo)) return 1;
        var covered = 0;
        for (var sample = 0; sample < Samples; sample++)
        {
            var block = table.BlockAt(slot, (sample + 0.5) / Samples);
            var position = block.Count * sample / Samples; // Blocks are few in a small table.
            var (key, sequence) = (block.KeyAt(position), block.SequenceAt(position));
            if (Covers(ranges, key, sequence, upTo) && !(known is not null && Covers(known, key, sequence, AnyTombstone))) covered++;
        }

        return (double)covered / Samples;
    }
}
