using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Values;

namespace Ashlar.KeyValue.MemTables;

/// <summary>
/// Writes that are in the log and not yet in a table. The leader of a commit writes; readers need no lock and filter by
/// sequence what is not published yet.
/// </summary>
sealed unsafe class MemTable : SharedResource
{
    /// <summary>Sequence, kind and lengths of an entry of a table, and what its filter has of it.</summary>
    const int EntryOverheadBytes = 16;

    readonly SkipList entries = new();
    readonly List<ValueSegment> segments = [];
    RangeTombstone[] tombstones = [];
    int tombstoneCount;
    long tombstoneBytes;
    RangeTombstones? ranges; // Of as many as there were when it was last asked for.
    long count;
    long contentBytes;

    public long UsedBytes => entries.UsedBytes + Volatile.Read(ref tombstoneBytes);

    public long Count => Volatile.Read(ref count);

    /// <summary>What a table of it takes at the most, but for its index; exact when it is full.</summary>
    public long ContentBytes => Volatile.Read(ref contentBytes);

    public bool IsEmpty => Count == 0 && RangeCount == 0;

    /// <summary>How many ranges were deleted in it.</summary>
    public int RangeCount => Volatile.Read(ref tombstoneCount);

    /// <summary>
    /// The ranges that were deleted in it, what is not published yet among them; null if there are none. Who asks first after another one
    /// came puts them in order: writers only add.
    /// </summary>
    public RangeTombstones? Ranges
    {
        get
        {
            var wanted = RangeCount;
            if (wanted == 0) return null;
            var known = Volatile.Read(ref ranges);
            if (known is not null && known.Count == wanted) return known;
            known = RangeTombstones.Of(new ArraySegment<RangeTombstone>(Volatile.Read(ref tombstones), 0, wanted));
            Volatile.Write(ref ranges, known);
            return known;
        }
    }

    /// <summary>Smallest sequence in it; 0 while it is empty.</summary>
    public ulong FirstSequence { get; private set; }

    /// <summary>Largest sequence in it; 0 while it is empty.</summary>
    public ulong LastSequence { get; private set; }

    /// <summary>
    /// The last log segment that holds entries of this table: once it is in a sorted table, logs up to here are
    /// obsolete.
    /// </summary>
    public ulong LastLogId { get; set; }

    /// <summary>Commit time of the newest group in it, known when it is full: kept when its logs go.</summary>
    public long LastCommitTime { get; set; }

    /// <summary>Whether an entry refers to a value in a segment.</summary>
    public bool HasPlaces => PlacedBytes > 0;

    /// <summary>Bytes of values that lie in segments, with their keys.</summary>
    public long PlacedBytes { get; private set; }

    /// <summary>As much of them as newer entries of this table replace.</summary>
    public long ReplacedBytes { get; private set; }

    /// <summary>The segments of the log that its entries came from, oldest first.</summary>
    public IReadOnlyList<ValueSegment> Segments => segments;

    public SkipList Entries => entries;

    /// <summary>Takes a reference to a segment, before any entry of it is added.</summary>
    public void Attach(ValueSegment segment)
    {
        segment.Acquire();
        segments.Add(segment);
    }

    public void Add(ReadOnlySpan<byte> key, ulong sequence, EntryKind kind, ReadOnlySpan<byte> value)
    {
        var older = entries.Insert(key, sequence, kind, value);
        if (older != null) ReplacedBytes += PlacedBytesOf(older);
        if (FirstSequence == 0) FirstSequence = sequence;
        LastSequence = sequence;
        contentBytes += key.Length + value.Length + EntryOverheadBytes;
        Volatile.Write(ref count, count + 1);
    }

    /// <summary>Adds a range that was deleted. It counts for readers once its sequence is published.</summary>
    public void Add(RangeTombstone tombstone)
    {
        var count = tombstoneCount;
        if (count == tombstones.Length)
        {
            var larger = new RangeTombstone[Math.Max(4, 2 * count)];
            tombstones.CopyTo(larger, 0);
            Volatile.Write(ref tombstones, larger);
        }

        entries.TrackNewest();
        tombstones[count] = tombstone;
        if (FirstSequence == 0) FirstSequence = tombstone.Sequence;
        LastSequence = tombstone.Sequence;
        Volatile.Write(ref tombstoneBytes, tombstoneBytes + tombstone.SizeBytes);
        Volatile.Write(ref tombstoneCount, count + 1);
    }

    /// <summary>Adds an entry of the log: a long value stays there, and its place is kept.</summary>
    /// <param name="sequence">The entry's sequence.</param>
    /// <param name="segmentId">The segment that it lies in.</param>
    /// <param name="entryOffset">Where in the segment it starts.</param>
    /// <param name="entry">Its head.</param>
    /// <param name="bytes">The entry, and perhaps what follows it.</param>
    /// <param name="separatedValueBytes">From which length on values stay in the log.</param>
    public void Add(
        ulong sequence, ulong segmentId, long entryOffset, in LogEntry entry, ReadOnlySpan<byte> bytes, int separatedValueBytes)
    {
        var value = entry.ValueIn(bytes);
        if (entry.Kind == EntryKind.RangeDelete)
        {
            Add(RangeTombstone.Of(entry.KeyIn(bytes), value, sequence));
            return;
        }

        var expiryBytes = entry.Kind == EntryKind.ExpiringPut ? Expiry.SizeBytes : 0;
        if (!entry.Kind.IsPut() || value.Length - expiryBytes < separatedValueBytes)
        {
            Add(entry.KeyIn(bytes), sequence, entry.Kind, value);
            return;
        }

        Span<byte> stored = stackalloc byte[Expiry.SizeBytes + ValuePlace.EncodedBytes];
        value[..expiryBytes].CopyTo(stored);
        var offset = entryOffset + LogEntry.HeaderBytes + entry.KeyLength + expiryBytes;
        new ValuePlace(segmentId, offset, value.Length - expiryBytes, entry.ValueCrc).Write(stored[expiryBytes..]);
        PlacedBytes += entry.KeyLength + value.Length - expiryBytes;
        var kind = expiryBytes == 0 ? EntryKind.PutInLog : EntryKind.ExpiringPutInLog;
        Add(entry.KeyIn(bytes), sequence, kind, stored[..(expiryBytes + ValuePlace.EncodedBytes)]);
    }

    /// <summary>
    /// Finds the newest entry of a key at or below a sequence. The value stays readable while this is referenced.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="sequence">The reader's.</param>
    /// <param name="found">The entry's sequence.</param>
    /// <param name="kind">The entry's kind.</param>
    /// <param name="value">What it stores.</param>
    public bool TryFind(ReadOnlySpan<byte> key, ulong sequence, out ulong found, out EntryKind kind, out ReadOnlySpan<byte> value)
    {
        var node = entries.FindAtLeast(key, sequence);
        if (node == null || !SkipList.KeyOf(node).SequenceEqual(key))
        {
            found = 0;
            kind = EntryKind.None;
            value = default;
            return false;
        }

        found = SkipList.SequenceOf(node);
        kind = SkipList.KindOf(node);
        value = SkipList.ValueOf(node);
        return true;
    }

    /// <summary>
    /// Some of the keys whose newest entry has its value in a segment, by chance, and how long those are with their keys.
    /// </summary>
    /// <param name="atLeast">So many entries are looked at, or all.</param>
    public List<(byte[] Key, long Bytes)> SamplePlaced(int atLeast)
    {
        var sample = new List<(byte[] Key, long Bytes)>();
        foreach (var chosen in entries.Sample(atLeast))
        {
            var key = SkipList.KeyOf((byte*)chosen);
            var newest = entries.FindAtLeast(key, ulong.MaxValue);
            if (newest == (byte*)chosen && PlacedBytesOf(newest) is > 0 and var bytes) sample.Add((key.ToArray(), bytes));
        }

        return sample;
    }

    /// <summary>How many of some of its entries, chosen by chance, ranges have deleted for who reads the newest.</summary>
    /// <param name="atLeast">So many are looked at, or all.</param>
    /// <param name="ranges">The ranges.</param>
    public (int Samples, int Covered) CountCovered(int atLeast, RangeTombstones ranges)
    {
        var sample = entries.Sample(atLeast);
        var covered = 0;
        foreach (var chosen in sample)
        {
            var node = (byte*)chosen;
            if (SkipList.SequenceOf(node) < ranges.NewestCovering(SkipList.KeyOf(node), ulong.MaxValue)) covered++;
        }

        return (sample.Count, covered);
    }

    static long PlacedBytesOf(byte* node)
    {
        var kind = SkipList.KindOf(node);
        return kind.HasPlace() ? SkipList.KeyOf(node).Length + ValuePlace.Read(kind, SkipList.ValueOf(node)).LengthBytes : 0;
    }

    protected override void Free()
    {
        entries.Free();
        foreach (var segment in segments) segment.Release();
    }
}
