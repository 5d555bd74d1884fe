using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Versions;

/// <summary>
/// How a cursor gets past many tombstones: by <see cref="DeletedRanges"/>, and where those know nothing, it walks over them and lets
/// others know.
/// </summary>
sealed class TombstonePassage(StoreState state, StoreVersion version, ulong sequence, long now, bool isForward)
{
    /// <summary>Fewer are passed as fast as a range is found.</summary>
    const int PassedBeforeLook = 8;

    /// <summary>So many are worth to be known. They are walked over twice.</summary>
    const int PassedBeforeWalk = 64;

    byte[]? start;
    int passed;
    object? walk;

    /// <summary>The cursor is on a tombstone that it sees.</summary>
    /// <param name="key">The tombstone's.</param>
    /// <param name="next">
    /// Where to go on if the result is true: at the first key there or behind, backward at the last before it; null: there is nothing more.
    /// </param>
    /// <returns>False: go on as ever.</returns>
    public bool TryPass(ReadOnlySpan<byte> key, out byte[]? next)
    {
        next = null;
        if (walk is not null) return false;
        start ??= isForward ? key.ToArray() : DeletedRange.Behind(key);
        passed++;
        if (passed == PassedBeforeLook && state.DeletedRanges.Find(key, sequence, now) is { } known)
        {
            passed = 0;
            next = start = isForward ? known.End : known.Start;
            // Ahead, or the cursor would go round for ever.
            Invariant.Require(next is null ? isForward : isForward == key.SequenceCompareTo(next) < 0);
            return true;
        }

        // What was written to another memtable, this cursor does not see; then it never will.
        if (passed != PassedBeforeWalk || !state.IsActive(version.Active)) return false;
        // Not from the cursor's own sequence on: of what lies between it and a newer tombstone, a merge may have left nothing to see here.
        walk = state.DeletedRanges.TryBegin(start, isForward, state.VisibleSequence, now);
        if (walk is not null && !state.IsActive(version.Active)) Abandon();
        next = start;
        return walk is not null;
    }

    /// <summary>The cursor is on a key that does not belong to the range: it sees it, or others may.</summary>
    public void EndAt(ReadOnlySpan<byte> key)
    {
        if (walk is not null) Complete(isForward ? key.ToArray() : DeletedRange.Behind(key));
        (start, passed) = (null, 0);
    }

    /// <summary>The cursor has come to the end of its own range, or of all keys (null).</summary>
    public void EndAtBound(byte[]? bound)
    {
        if (walk is not null) Complete(bound);
        (start, passed) = (null, 0);
    }

    /// <summary>The cursor does not see all that it passes, or not to the end.</summary>
    public void Abandon()
    {
        if (walk is not null) state.DeletedRanges.Abandon(walk);
        (walk, start, passed) = (null, null, 0);
    }

    void Complete(byte[]? bound)
    {
        state.DeletedRanges.Complete(walk!, bound);
        walk = null;
    }
}
