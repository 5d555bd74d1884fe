using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.SortedTable;

/// <summary>What the manifest knows of a table.</summary>
sealed record TableInfo(
    ulong Id, int Level, long FileLength, uint FooterCrc, long EntryCount,
    ulong MinSequence, ulong MaxSequence, byte[] SmallestKey, byte[] LargestKey)
{
    /// <summary>Tombstones among the entries; 0 also where the manifest is of before they were counted.</summary>
    public long TombstoneCount { get; init; }

    /// <summary>When entries expire.</summary>
    public TableExpiry Expiry { get; init; } = TableExpiry.None;

    /// <summary>
    /// It holds no entry that range tombstones up to this sequence, of those in the manifest, have deleted.
    /// </summary>
    public ulong RangesAppliedThrough { get; init; }

    /// <summary>Whether it may hold entries that a range tombstone has deleted.</summary>
    public bool MayHoldDeletedBy(RangeTombstone range) =>
        MinSequence < range.Sequence && RangesAppliedThrough < range.Sequence && range.Overlaps(SmallestKey, LargestKey);

    /// <summary>The segments that hold values of the table, by number.</summary>
    public SegmentReference[] References { get; init; } = [];

    public bool Overlaps(ReadOnlySpan<byte> smallest, ReadOnlySpan<byte> largest) =>
        SmallestKey.AsSpan().SequenceCompareTo(largest) <= 0 && LargestKey.AsSpan().SequenceCompareTo(smallest) >= 0;

    public bool Covers(ReadOnlySpan<byte> key) => Overlaps(key, key);
}
