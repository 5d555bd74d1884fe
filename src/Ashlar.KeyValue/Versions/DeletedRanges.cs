using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Versions;

/// <summary>
/// Ranges of keys in which scans found nothing but tombstones: the next scan passes over each of them in one step. A queue has its
/// tombstones where all that read it begin.
/// </summary>
/// <remarks>
/// <para>Invariant: whoever reads at the sequence and the time of a complete range, or later, sees no entry between its bounds. It holds
/// because</para>
/// <list type="number">
/// <item>a range is known to writers before the walk that fills it begins (<see cref="TryBegin"/>), and that walk sees what was in the
/// memtable by then, unpublished entries included: at the first put that it cannot see at its sequence it ends;</item>
/// <item>a writer takes its key out (<see cref="Exclude"/>) when the entry is in the memtable, and before it is published: whoever can
/// see the entry sees that;</item>
/// <item>what expires ends a range, and where it has become a tombstone already, a range holds for those alone who read at a time that is
/// not before the walk's: others may still see it.</item>
/// </list>
/// <para>Between 1 and 2 lies a full fence on both sides: either the walk meets the entry, or its writer meets the range.</para>
/// </remarks>
sealed class DeletedRanges
{
    /// <summary>More than are in use at once; a writer compares its key with each.</summary>
    const int MaxCount = 16;

    readonly Lock gate = new();
    DeletedRange[] ranges = []; // Replaced as a whole, the oldest first.

    public int Count => Volatile.Read(ref ranges).Length;

    /// <summary>Whether there is none, for a writer whose entries are in the memtable.</summary>
    public bool IsEmptyForWriter
    {
        get
        {
            Interlocked.MemoryBarrier();
            return Volatile.Read(ref ranges).Length == 0;
        }
    }

    /// <summary>Takes out a key that was put. Which side of it stays in the range is that from which it is walked.</summary>
    public void Exclude(ReadOnlySpan<byte> key)
    {
        foreach (var range in Volatile.Read(ref ranges))
        {
            if (!range.Contains(key)) continue;
            using (gate.Hold())
            {
                var changed = new List<DeletedRange>();
                foreach (var old in ranges)
                {
                    if (old.Without(key) is not { } left) continue;
                    Invariant.Require(!left.Contains(key)); // It is published next.
                    changed.Add(left);
                }

                Volatile.Write(ref ranges, [.. changed]);
            }

            return;
        }
    }

    /// <summary>Finds the range that a key lies in, for a reader at a sequence and a time.</summary>
    public DeletedRange? Find(ReadOnlySpan<byte> key, ulong sequence, long now)
    {
        foreach (var range in Volatile.Read(ref ranges))
        {
            if (range.IsComplete && range.Sequence <= sequence && range.Now <= now && range.Contains(key)) return range;
        }

        return null;
    }

    /// <summary>Announces a walk; null if there is no room for what it finds.</summary>
    /// <param name="start">Where the range begins that is walked over: forward its first key, backward the key behind its last.</param>
    /// <param name="isForward">Whether keys ascend.</param>
    /// <param name="sequence">The newest that is visible: what of the range newer tombstones shadow may be gone.</param>
    /// <param name="now">Time that tells the walk what has expired.</param>
    public object? TryBegin(ReadOnlySpan<byte> start, bool isForward, ulong sequence, long now)
    {
        var walk = new object();
        var range = isForward
            ? new DeletedRange(start.ToArray(), null, sequence, now, isForward, walk)
            : new DeletedRange([], start.ToArray(), sequence, now, isForward, walk);
        using (gate.Hold())
        {
            var kept = ranges;
            if (kept.Length == MaxCount)
            {
                var dropped = Array.FindIndex(kept, old => old.IsComplete);
                if (dropped < 0) return null;
                kept = [.. kept[..dropped], .. kept[(dropped + 1)..]];
            }

            Volatile.Write(ref ranges, [.. kept, range]);
        }

        Interlocked.MemoryBarrier();
        return walk;
    }

    /// <summary>The walk came to its end.</summary>
    /// <param name="walk">The walk.</param>
    /// <param name="bound">Forward: the first key that it does not pass over; backward: the least that it does. Null: there is no
    /// end.</param>
    public void Complete(object walk, byte[]? bound)
    {
        using (gate.Hold())
        {
            var found = Array.Find(ranges, range => range.Walk == walk);
            if (found is null) return; // It was put into at its very beginning.
            var others = ranges.Where(range => range.Walk != walk).ToList();
            if (found.CutAt(bound) is { } complete)
            {
                // A queue is walked piece by piece, each of which begins where the last ended.
                foreach (var old in others.Where(old => old.IsComplete && old.Touches(complete)).ToArray())
                {
                    others.Remove(old);
                    complete = complete.JoinedWith(old);
                }

                Invariant.Require(complete.IsComplete && others.Count < MaxCount);

                others.Add(complete);
            }

            Volatile.Write(ref ranges, [.. others]);
        }
    }

    /// <summary>The walk did not come to an end.</summary>
    public void Abandon(object walk)
    {
        using (gate.Hold()) Volatile.Write(ref ranges, [.. ranges.Where(range => range.Walk != walk)]);
    }
}

/// <summary>A range of keys that has nothing to see from a sequence on.</summary>
/// <param name="Start">Its first key; empty: from the first on.</param>
/// <param name="End">The key behind its last; null: to the end.</param>
/// <param name="Sequence">From here on.</param>
/// <param name="Now">And from this time on (<see cref="Expiry.Now"/>).</param>
/// <param name="IsForward">Whether it is walked from its start.</param>
/// <param name="Walk">Who is filling it; null once it is complete.</param>
sealed record DeletedRange(byte[] Start, byte[]? End, ulong Sequence, long Now, bool IsForward, object? Walk)
{
    public bool IsComplete => Walk is null;

    bool IsEmpty => End is not null && KeyOrder.Instance.Compare(Start, End) >= 0;

    public bool Contains(ReadOnlySpan<byte> key) =>
        key.SequenceCompareTo(Start) >= 0 && (End is null || key.SequenceCompareTo(End) < 0);

    /// <summary>What is left of it once a key was put; null if nothing is.</summary>
    public DeletedRange? Without(ReadOnlySpan<byte> key)
    {
        if (!Contains(key)) return this;
        var left = IsForward ? this with { End = key.ToArray() } : this with { Start = Behind(key) };
        return left.IsEmpty ? null : left;
    }

    /// <summary>It, complete, up to where its walk ended; null if nothing of it is left.</summary>
    public DeletedRange? CutAt(byte[]? bound)
    {
        var complete = this with { Walk = null };
        if (bound is not null && IsForward && Contains(bound)) complete = complete with { End = bound };
        if (bound is not null && !IsForward && KeyOrder.Instance.Compare(bound, Start) > 0)
            complete = complete with { Start = bound };
        return complete.IsEmpty ? null : complete;
    }

    /// <summary>Whether nothing lies between the two.</summary>
    public bool Touches(DeletedRange other) =>
        IsForward == other.IsForward
        && (End is null || KeyOrder.Instance.Compare(other.Start, End) <= 0)
        && (other.End is null || KeyOrder.Instance.Compare(Start, other.End) <= 0);

    public DeletedRange JoinedWith(DeletedRange other) => this with
    {
        Start = KeyOrder.Instance.Compare(Start, other.Start) <= 0 ? Start : other.Start,
        End = End is null || other.End is null ? null : KeyOrder.Instance.Compare(End, other.End) >= 0 ? End : other.End,
        Sequence = Math.Max(Sequence, other.Sequence),
        Now = Math.Max(Now, other.Now),
    };

    /// <summary>The key behind another one, with nothing between them.</summary>
    public static byte[] Behind(ReadOnlySpan<byte> key) => [.. key, 0];
}
