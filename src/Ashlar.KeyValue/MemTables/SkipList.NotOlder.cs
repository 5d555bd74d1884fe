using Ashlar.Storage;

namespace Ashlar.KeyValue.MemTables;

// How a walk gets past what is older than a sequence.
//
// A link of level 2 or above passes over some sixteen nodes or more, and says in Newest how new those may be, its end among them.
// Invariant: from TrackNewest on, no node that a link leads to or passes over is newer than that, unless it was there before. It holds for
// whoever sees the node published: the writer notes it before Insert returns, and a reader reads what is noted before the link. A link that
// is cut in two leaves what it said to both, so what is said may be too new: then it is followed down in vain.
sealed unsafe partial class SkipList
{
    /// <summary>
    /// Has links say how new what they pass over is, from the next entry on. The writer's; what was inserted before is older than all that
    /// anybody will ask for.
    /// </summary>
    public void TrackNewest() => isTracking = true;

    /// <summary>
    /// The first node behind another that is not older than a sequence, or whose key is an end or comes behind it; null if there is none.
    /// </summary>
    /// <param name="node">The other.</param>
    /// <param name="sequence">Newer than all that was inserted before <see cref="TrackNewest"/>.</param>
    /// <param name="end">The end; null: there is none.</param>
    /// <param name="moves">Grows by the nodes that it goes to.</param>
    public byte* FindNotOlder(byte* node, ulong sequence, byte[]? end, ref long moves)
    {
        Invariant.Require(sequence > newestUntracked);
        while (true)
        {
            moves++;
            if (TryLeap(node, sequence, end, out var far))
            {
                if (far == null) return null;
                node = far;
                continue;
            }

            node = Next(node, 0);
            if (node == null || SequenceOf(node) >= sequence || !IsBefore(node, end)) return node;
        }
    }

    /// <summary>The last node before another that is not older than a sequence; null if there is none from a start on.</summary>
    /// <param name="node">The other.</param>
    /// <param name="sequence">Newer than all that was inserted before <see cref="TrackNewest"/>.</param>
    /// <param name="start">The start; null: from the first on.</param>
    /// <param name="moves">Grows by the nodes that it goes to.</param>
    public byte* FindLastNotOlder(byte* node, ulong sequence, byte[]? start, ref long moves)
    {
        Invariant.Require(sequence > newestUntracked);
        var before = stackalloc byte*[MaxHeight];
        var levels = Volatile.Read(ref height);
        FindLess(KeyOf(node), SequenceOf(node), before, out _);
        // Behind the last node before it that has links which say how new nodes are; then ever farther away.
        var first = levels > FirstNoted ? before[FirstNoted] : head;
        var found = LastNotOlder(first, node, sequence, ref moves);
        for (var level = FirstNoted; level < levels && found == null; level++)
        {
            var from = level + 1 < levels ? before[level + 1] : head;
            var through = before[level];
            if (through == head || (start is not null && KeyOf(through).SequenceCompareTo(start) < 0)) return null;
            found = LastNotOlder(from, through, level, sequence, ref moves);
        }

        return found != null && (start is null || KeyOf(found).SequenceCompareTo(start) >= 0) ? found : null;
    }

    // Over what is too old and lies before the end, as far as one link goes. Null: all that is left is too old, and there is no end.
    static bool TryLeap(byte* node, ulong sequence, byte[]? end, out byte* far)
    {
        far = null;
        for (var level = node[17] - 1; level >= FirstNoted; level--)
        {
            if (Volatile.Read(ref NewestOf(node, level)) >= sequence) continue; // Read before the link.
            far = Next(node, level);
            if (far == null ? end is null : IsBefore(far, end)) return true;
        }

        return false;
    }

    // Of what links of a level lead to from one node through another. A link that cannot be told from one that passes over something new
    // may pass over nothing; then it is the one before that counts.
    static byte* LastNotOlder(byte* from, byte* through, int level, ulong sequence, ref long moves)
    {
        for (var end = through; ;)
        {
            byte* candidate = null;
            byte* candidateEnd = null;
            for (var node = from; node != end;)
            {
                moves++;
                var isNew = Volatile.Read(ref NewestOf(node, level)) >= sequence;
                var next = Next(node, level);
                if (isNew)
                {
                    candidate = node;
                    candidateEnd = next;
                }

                node = next;
            }

            if (candidate == null) return null;
            var found = level > FirstNoted
                ? LastNotOlder(candidate, candidateEnd, level - 1, sequence, ref moves)
                : LastNotOlder(candidate, Next(candidateEnd, 0), sequence, ref moves);
            if (found != null) return found;
            end = candidate;
        }
    }

    // Of the nodes between two, one by one.
    static byte* LastNotOlder(byte* from, byte* end, ulong sequence, ref long moves)
    {
        byte* found = null;
        for (var node = Next(from, 0); node != end; node = Next(node, 0))
        {
            moves++;
            if (SequenceOf(node) >= sequence) found = node;
        }

        return found;
    }

    static bool IsBefore(byte* node, byte[]? end) => end is null || KeyOf(node).SequenceCompareTo(end) < 0;
}
