using System.Runtime.InteropServices;

namespace Ashlar.KeyValue.Entries;

/// <summary>Range tombstones, immutable, so that what covers a key is found by one binary search, however many they are.</summary>
/// <remarks>
/// Their bounds cut all keys into stretches, each of which the same tombstones cover. Ranges that end one behind the other, as those of
/// "all before this moment" do, share what is kept of them: of a stretch behind an end it is the same array, with one less of it.
/// </remarks>
sealed class RangeTombstones
{
    readonly RangeTombstone[] all;
    readonly byte[][] bounds;
    readonly (ulong[] Sequences, int Count)[] covering; // Of the stretch that begins at the bound of that number.

    RangeTombstones(RangeTombstone[] all, byte[][] bounds, (ulong[] Sequences, int Count)[] covering) =>
        (this.all, this.bounds, this.covering) = (all, bounds, covering);

    /// <summary>The tombstones, the oldest first.</summary>
    public ReadOnlySpan<RangeTombstone> All => all;

    public int Count => all.Length;

    /// <summary>Makes a set of them; null if there are none.</summary>
    /// <param name="tombstones">In any order; no two have one sequence.</param>
    public static RangeTombstones? Of(IEnumerable<RangeTombstone> tombstones)
    {
        RangeTombstone[] all = [.. tombstones.OrderBy(one => one.Sequence)];
        if (all.Length == 0) return null;
        var changes = new List<(byte[] Bound, ulong Sequence, bool IsStart)>(2 * all.Length);
        foreach (var one in all)
        {
            changes.Add((one.Start, one.Sequence, true));
            if (one.End is not null) changes.Add((one.End, one.Sequence, false));
        }

        changes.Sort(static (left, right) => KeyOrder.Instance.Compare(left.Bound, right.Bound));
        var bounds = new List<byte[]>();
        var covering = new List<(ulong[] Sequences, int Count)>();
        var open = new List<ulong>(); // Ascending.
        for (var i = 0; i < changes.Count;)
        {
            var bound = changes[i].Bound;
            var isShorter = true; // Whether all that changes is that the oldest of them end.
            for (; i < changes.Count && KeyOrder.Instance.Compare(changes[i].Bound, bound) == 0; i++)
            {
                var (_, sequence, isStart) = changes[i];
                var at = open.BinarySearch(sequence);
                isShorter &= !isStart && at == 0;
                if (isStart) open.Insert(~at, sequence);
                else open.RemoveAt(at);
            }

            bounds.Add(bound);
            covering.Add(isShorter && covering.Count > 0 ? (covering[^1].Sequences, open.Count) : (NewestFirst(open), open.Count));
        }

        return new RangeTombstones(all, [.. bounds], [.. covering]);
    }

    /// <summary>All of some sets as one; null if there are none.</summary>
    public static RangeTombstones? Union(IEnumerable<RangeTombstones?> sets)
    {
        RangeTombstones[] some = [.. sets.OfType<RangeTombstones>()];
        return some.Length < 2 ? some.FirstOrDefault() : Of(some.SelectMany(set => set.all));
    }

    /// <summary>The stretch that a key lies in.</summary>
    public RangeStretch StretchOf(ReadOnlySpan<byte> key)
    {
        var (low, high) = (0, bounds.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (bounds[middle].AsSpan().SequenceCompareTo(key) <= 0) low = middle + 1;
            else high = middle;
        }

        var end = low < bounds.Length ? bounds[low] : null;
        return low == 0 ? new(null, end, [], 0) : new(bounds[low - 1], end, covering[low - 1].Sequences, covering[low - 1].Count);
    }

    /// <summary>The newest tombstone that covers a key and that a reader at a sequence sees; 0 if there is none.</summary>
    public ulong NewestCovering(ReadOnlySpan<byte> key, ulong sequence) => StretchOf(key).NewestUpTo(sequence);

    /// <summary>The newest tombstone up to a sequence; 0 if there is none.</summary>
    public ulong NewestUpTo(ulong sequence) => CountUpTo(sequence) is > 0 and var count ? all[count - 1].Sequence : 0;

    /// <summary>How many there are up to a sequence.</summary>
    public int CountUpTo(ulong sequence)
    {
        var count = all.Length;
        while (count > 0 && all[count - 1].Sequence > sequence) count--;
        return count;
    }

    /// <summary>
    /// Whether every key between two, borders included, is covered by a tombstone that is newer than one sequence and no newer than
    /// another.
    /// </summary>
    public bool CoverAll(ReadOnlySpan<byte> smallest, ReadOnlySpan<byte> largest, ulong after, ulong upTo)
    {
        for (var key = smallest; ;)
        {
            var stretch = StretchOf(key);
            if (stretch.OldestAfter(after) > upTo) return false;
            if (stretch.End is null || largest.SequenceCompareTo(stretch.End) < 0) return true;
            key = stretch.End;
        }
    }

    static ulong[] NewestFirst(List<ulong> ascending)
    {
        ulong[] sequences = [.. CollectionsMarshal.AsSpan(ascending)];
        Array.Reverse(sequences);
        return sequences;
    }
}
