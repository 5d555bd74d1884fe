namespace Ashlar.KeyValue.Entries;

/// <summary>Range tombstones, immutable, so that what covers a key is found by one binary search, however many they are.</summary>
/// <remarks>
/// Their bounds cut all keys into stretches, each of which the same tombstones cover. Which those are changes by one at each bound, and
/// neighbours share what they have in common (<see cref="SharedSets"/>): however n of them overlap, they take memory for n log n.
/// </remarks>
sealed class RangeTombstones
{
    const int MaxJoined = 64;

    readonly RangeTombstone[] all;
    readonly ulong[] sequences; // Of all: a tombstone's number is its place here.
    readonly byte[][] bounds;
    readonly (int Covering, ulong Newest)[] stretches; // That begin at the bound of that number.
    readonly SharedSets sets;

    RangeTombstones(RangeTombstone[] all, ulong[] sequences, byte[][] bounds, (int Covering, ulong Newest)[] stretches, SharedSets sets) =>
        (this.all, this.sequences, this.bounds, this.stretches, this.sets) = (all, sequences, bounds, stretches, sets);

    /// <summary>The tombstones, the oldest first.</summary>
    public ReadOnlySpan<RangeTombstone> All => all;

    public int Count => all.Length;

    /// <summary>Makes a set of them; null if there are none.</summary>
    /// <param name="tombstones">In any order; no two have one sequence.</param>
    public static RangeTombstones? Of(IEnumerable<RangeTombstone> tombstones)
    {
        RangeTombstone[] all = [.. tombstones.OrderBy(one => one.Sequence)];
        if (all.Length == 0) return null;
        var sequences = new ulong[all.Length];
        var changes = new List<(byte[] Bound, int Number)>(2 * all.Length);
        for (var number = 0; number < all.Length; number++)
        {
            sequences[number] = all[number].Sequence;
            changes.Add((all[number].Start, number));
            if (all[number].End is { } end) changes.Add((end, number));
        }

        changes.Sort(static (left, right) => KeyOrder.Instance.Compare(left.Bound, right.Bound));
        var bounds = new List<byte[]>(changes.Count);
        var stretches = new List<(int Covering, ulong Newest)>(changes.Count);
        var sets = new SharedSets(all.Length, changes.Count);
        var covering = SharedSets.Empty;
        for (var i = 0; i < changes.Count;)
        {
            var bound = changes[i].Bound;
            // No range ends where it starts: the first bound of each opens it, the second one ends it.
            for (; i < changes.Count && KeyOrder.Instance.Compare(changes[i].Bound, bound) == 0; i++)
                covering = sets.Toggle(covering, changes[i].Number);
            bounds.Add(bound);
            stretches.Add((covering, covering == SharedSets.Empty ? 0 : sequences[sets.LastUpTo(covering, all.Length - 1)]));
        }

        return new RangeTombstones(all, sequences, [.. bounds], [.. stretches], sets);
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
        var low = CountUpTo(key);
        var end = low < bounds.Length ? bounds[low] : null;
        if (low == 0) return new(null, end, this, -1, SharedSets.Empty, 0);
        return new(bounds[low - 1], end, this, low - 1, stretches[low - 1].Covering, stretches[low - 1].Newest);
    }

    /// <summary>The newest tombstone that covers a key and that a reader at a sequence sees; 0 if there is none.</summary>
    public ulong NewestCovering(ReadOnlySpan<byte> key, ulong sequence) => StretchOf(key).NewestUpTo(sequence);

    /// <summary>The newest tombstone up to a sequence; 0 if there is none.</summary>
    public ulong NewestUpTo(ulong sequence) => CountUpTo(sequence) is > 0 and var count ? all[count - 1].Sequence : 0;

    /// <summary>How many there are up to a sequence.</summary>
    public int CountUpTo(ulong sequence)
    {
        var at = sequences.AsSpan().BinarySearch(sequence);
        return at < 0 ? ~at : at + 1;
    }

    /// <summary>The newest of some up to a sequence; 0 if there is none.</summary>
    /// <param name="covering">Those of a <see cref="RangeStretch"/>.</param>
    /// <param name="sequence">The sequence.</param>
    public ulong NewestUpTo(int covering, ulong sequence) =>
        sets.LastUpTo(covering, CountUpTo(sequence) - 1) is >= 0 and var found ? sequences[found] : 0;

    /// <summary>The oldest of some that is newer than a sequence; the largest number there is if none is.</summary>
    /// <inheritdoc cref="NewestUpTo(int, ulong)" path="/param" />
    public ulong OldestAfter(int covering, ulong sequence) =>
        sets.FirstFrom(covering, CountUpTo(sequence)) is >= 0 and var found ? sequences[found] : ulong.MaxValue;

    /// <summary>The newest tombstone up to a sequence that covers a key between two, borders included; 0 if there is none.</summary>
    public ulong NewestWithin(ReadOnlySpan<byte> smallest, ReadOnlySpan<byte> largest, ulong sequence)
    {
        var newest = 0UL;
        for (int at = Math.Max(0, CountUpTo(smallest) - 1), end = CountUpTo(largest); at < end; at++)
            newest = Math.Max(newest, NewestOf(at, sequence));
        return newest;
    }

    /// <inheritdoc cref="RangeStretch.EndOfCovered" />
    /// <param name="number">The stretch.</param>
    /// <param name="newest">The tombstone of that stretch.</param>
    /// <param name="sequence">The reader's.</param>
    public byte[]? EndOfCovered(int number, ulong newest, ulong sequence)
    {
        var end = number + 1;
        for (var last = number + MaxJoined; end < stretches.Length && end < last && NewestOf(end, sequence) >= newest; end++)
        {
        }

        return end < bounds.Length ? bounds[end] : null;
    }

    /// <inheritdoc cref="RangeStretch.StartOfCovered" />
    /// <inheritdoc cref="EndOfCovered" path="/param" />
    public byte[]? StartOfCovered(int number, ulong newest, ulong sequence)
    {
        var start = number;
        for (var first = number - MaxJoined; start > 0 && start > first && NewestOf(start - 1, sequence) >= newest; start--)
        {
        }

        return bounds[start];
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

    // Bounds up to a key: its stretch begins at the last of them.
    int CountUpTo(ReadOnlySpan<byte> key)
    {
        var (low, high) = (0, bounds.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (bounds[middle].AsSpan().SequenceCompareTo(key) <= 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    ulong NewestOf(int stretch, ulong sequence)
    {
        var (covering, newest) = stretches[stretch];
        return newest <= sequence ? newest : NewestUpTo(covering, sequence);
    }
}
