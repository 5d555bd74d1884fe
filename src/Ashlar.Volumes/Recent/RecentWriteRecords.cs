using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>What the log of an earlier life says of the leaves that the store does not have as they were.</summary>
sealed class RecentWriteRecords
{
    readonly List<byte[]> segments = [];
    readonly Dictionary<(long Lineage, long LeafIndex), LeafRecords> leaves = [];

    readonly List<string> paths = [];
    readonly ulong floor;

    RecentWriteRecords(ulong floor) => this.floor = floor;

    /// <summary>The segments, oldest first.</summary>
    public IReadOnlyList<string> Paths => paths;

    /// <summary>Sequence of the last record; 0 when there is none.</summary>
    public ulong Last { get; private set; }

    public bool IsEmpty => Last == 0;

    /// <summary>The leaves, in the order in which the log first speaks of them.</summary>
    public IEnumerable<(long Lineage, long LeafIndex)> Leaves =>
        leaves.Where(static each => each.Value.Needed.Any()).Select(static each => each.Key);

    /// <summary>Reads the segments that belong to a log; what is none is left out.</summary>
    public static RecentWriteRecords Read(
        IFileSystem fileSystem, IEnumerable<string> paths, RecentWritesIdentity identity, ulong floor)
    {
        var found = new List<(ulong First, string Path, byte[] Bytes)>();
        foreach (var path in paths)
        {
            using var file = fileSystem.Open(path, FileOpenMode.ReadOnly);
            var bytes = file.ReadWhole();
            if (RecentWriteFormat.TryReadHeader(bytes, identity, out var first)) found.Add((first, path, bytes));
            else fileSystem.Delete(path);
        }

        // Of two that begin alike the one without records is the older: who takes them over lets go of the older first, and must not
        // leave a gap before those that follow.
        found.Sort(static (one, other) => Order(one.First, one.Bytes).CompareTo(Order(other.First, other.Bytes)));
        var records = new RecentWriteRecords(floor);
        foreach (var (first, path, bytes) in found)
        {
            // Two begin alike where a process died before it wrote its first record. Behind a gap the log has lost some of itself: what is
            // there must not become a part of the one that goes on before the gap.
            if (records.Last != 0 && first > records.Last + 1)
            {
                fileSystem.Delete(path);
                continue;
            }

            records.paths.Add(path);
            if (records.Last == 0 || first == records.Last + 1) records.Add(bytes, first);
        }

        return records;
    }

    static (ulong First, bool HasRecords) Order(ulong first, byte[] segment) =>
        (first, RecentWriteFormat.TryReadRecord(segment.AsSpan(RecentWriteFormat.HeaderBytes), first, out _));

    /// <summary>That the store has a leaf, or that nothing of it can be taken up: the log is to speak of it no longer.</summary>
    public CoveredLeaf Cover(long lineage, long leafIndex) => new(lineage, leafIndex, Last, Last);

    /// <summary>What of a leaf is not covered, the newest first.</summary>
    public IEnumerable<RecentEntry> NewestFirst(long lineage, long leafIndex)
    {
        var leaf = leaves[(lineage, leafIndex)];
        return leaf.Needed.Reverse();
    }

    void Add(byte[] bytes, ulong first)
    {
        segments.Add(bytes);
        if (Last == 0) Last = first - 1;
        var offset = RecentWriteFormat.HeaderBytes;
        while (RecentWriteFormat.TryReadRecord(bytes.AsSpan(offset), Last + 1, out var record))
        {
            var key = (record.Lineage, record.LeafIndex);
            if (!leaves.TryGetValue(key, out var leaf)) leaves.Add(key, leaf = new LeafRecords(floor));
            leaf.Add(record, bytes.AsMemory(offset, record.LengthBytes));
            Last++;
            offset += record.LengthBytes;
        }
    }

    sealed class LeafRecords(ulong floor)
    {
        readonly List<RecentEntry> entries = [];
        readonly HashSet<ulong> voids = [];
        ulong through = floor, markedThrough = floor;

        /// <summary>Writes and zeros that the store may not have, in their order.</summary>
        public IEnumerable<RecentEntry> Needed =>
            entries.Where(each => each.Record.Sequence > through && !voids.Contains(each.Record.Sequence))
                .Select(each => each with { IsMarkedCovered = each.Record.Sequence <= markedThrough });

        public void Add(RecentRecord record, ReadOnlyMemory<byte> bytes)
        {
            var body = bytes.Span[RecentWriteFormat.RecordHeaderBytes..];
            switch (record.Kind)
            {
                case RecentKind.Covered when body.Length == 16:
                    through = Math.Max(through, BinaryPrimitives.ReadUInt64LittleEndian(body));
                    markedThrough = Math.Max(markedThrough, BinaryPrimitives.ReadUInt64LittleEndian(body[8..]));
                    break;
                case RecentKind.Void when body.Length == 8:
                    voids.Add(BinaryPrimitives.ReadUInt64LittleEndian(body));
                    break;
                case RecentKind.Write or RecentKind.Zeros:
                    if (entries.Count > 0) entries[^1] = entries[^1] with { IsNewest = false };
                    entries.Add(new RecentEntry(record, bytes, IsNewest: true, IsMarkedCovered: false));
                    break;
                default:
                    break; // Of a kind that says nothing of content.
            }
        }
    }
}

/// <summary>A write, or zeros.</summary>
/// <param name="Record">What it is.</param>
/// <param name="Bytes">All of it.</param>
/// <param name="IsNewest">Whether nothing of the leaf came after it: it may have been under way.</param>
/// <param name="IsMarkedCovered">Whether the store has the places of those of its blocks that are marked.</param>
sealed record RecentEntry(RecentRecord Record, ReadOnlyMemory<byte> Bytes, bool IsNewest, bool IsMarkedCovered)
{
    /// <summary>Whether all of it is there, or nothing.</summary>
    public bool IsAtomic => (Record.Flags & RecentFlags.Atomic) != RecentFlags.None;

    /// <summary>Whether the zeros keep their space.</summary>
    public bool Keeps => (Record.Flags & RecentFlags.Keep) != RecentFlags.None;

    /// <summary>The blocks of zeros; null if the bytes are none.</summary>
    public (int First, int Count)? Zeros
    {
        get
        {
            var body = Bytes.Span[RecentWriteFormat.RecordHeaderBytes..];
            if (Record.Kind != RecentKind.Zeros || body.Length != 4) return null;
            int first = BinaryPrimitives.ReadUInt16LittleEndian(body), count = BinaryPrimitives.ReadUInt16LittleEndian(body[2..]);
            return count > 0 && first + count <= MapLayout.BlocksPerLeaf ? (first, count) : null;
        }
    }
}
