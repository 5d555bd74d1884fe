using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.SortedTable;

/// <summary>What the manifest knows of a table.</summary>
sealed record TableInfo(
    ulong Id, int Level, long FileLength, uint FooterCrc, long EntryCount,
    ulong MinSequence, ulong MaxSequence, byte[] SmallestKey, byte[] LargestKey)
{
    /// <summary>Tombstones among the entries; 0 also where the manifest is of before they were counted.</summary>
    public long TombstoneCount { get; init; }

    /// <summary>The segments that hold values of the table, by number.</summary>
    public SegmentReference[] References { get; init; } = [];

    public bool Overlaps(ReadOnlySpan<byte> smallest, ReadOnlySpan<byte> largest) =>
        SmallestKey.AsSpan().SequenceCompareTo(largest) <= 0 && LargestKey.AsSpan().SequenceCompareTo(smallest) >= 0;

    public bool Covers(ReadOnlySpan<byte> key) => Overlaps(key, key);
}
