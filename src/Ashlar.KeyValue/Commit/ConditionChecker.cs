using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Statistics;
using Ashlar.KeyValue.Versions;

namespace Ashlar.KeyValue.Commit;

/// <summary>
/// Checks the conditions of a group's members before the group gets its sequences, from memory alone: the leader holds up everybody, so
/// it does not wait for the disk.
/// </summary>
/// <remarks>
/// <para>Invariant: a member whose conditions are found to hold takes effect at a place in the order of all writes where they do. What may
/// contradict them is newer than the sequence as of which they were known to hold, and lies, in this order,</para>
/// <list type="number">
/// <item>in a member of the same group that joined earlier and was not refused;</item>
/// <item>in the memtables, entries that are not published yet included;</item>
/// <item>in tables that memtables have become meanwhile. The leader does not look there: where there may be such a table
/// (<see cref="StoreState.FlushedThrough"/>), the check is stale, and the caller looks again.</item>
/// </list>
/// <para>A failed condition is answered when the group is done, so after what it failed by is published: whoever is told that a key is
/// there, finds it. If that write is in doubt, so is the answer: the group's failure takes precedence over the outcome.</para>
/// <para>The room for the group is reserved by now: no member that others were measured by can still be refused without doubt.</para>
/// </remarks>
sealed class ConditionChecker(StoreState state, CommitCounters counters)
{
    /// <summary>
    /// Searches for scanned ranges and entries in them that are looked at for one write, the first time. Beyond that the caller looks, who
    /// holds up nobody; as it is overtaken again where there is always a writer, the leader looks at twice as many each time.
    /// </summary>
    const int RangeSteps = 1 << 10;

    /// <summary>Keys that are looked for in memtables for one write, the first time.</summary>
    const int KeySearches = 1 << 14;

    /// <summary>What both grow to at the most: some 10 ms for everybody.</summary>
    const int MaxSteps = 1 << 16;

    // Of a group of many entries; clearing a set takes as long as it is large.
    const int MaxKeptHashes = 4096;

    readonly HashSet<ulong> written = [];
    bool areRangesDeleted; // By members that were looked at.

    /// <summary>Takes members whose conditions do not hold out of a group.</summary>
    public void RefuseUnmet(CommitGroup group)
    {
        // The version first: a memtable that leaves it afterwards is still in this one.
        using var read = state.Read();
        var version = read.Version;
        var flushedThrough = state.FlushedThrough;
        var now = Expiry.Now(state.Clock);
        written.Clear();
        areRangesDeleted = false;
        for (var i = 0; i < group.Members.Count; i++)
        {
            var write = group.Members[i];
            if (write.Check is { } check)
            {
                check.Outcome = check.HeldAt < flushedThrough ? CheckOutcome.Stale : Decide(check, group.Members, i, version, now);
                if (check.Outcome == CheckOutcome.Stale) check.StaleLooks++;
                counters.CountCheck(check.Outcome != CheckOutcome.Holds);
                if (check.Outcome != CheckOutcome.Holds) continue;
            }

            if (i < group.Members.Count - 1) Remember(write);
        }

        group.RemoveUnmet();
        written.Clear();
        if (written.Capacity > MaxKeptHashes) written.TrimExcess();
    }

    CheckOutcome Decide(WriteCheck check, List<PendingWrite> members, int own, StoreVersion version, long now)
    {
        if (check.FirstExpiry.HasPassed(now)) return check.Fail(check.FirstExpiry.Key);
        var isUnchanged = IsUnchanged(version, check.HeldAt);
        if (!isUnchanged && check.Keys.Length > Allowed(KeySearches, check)) return CheckOutcome.Stale;
        foreach (var condition in check.Keys)
        {
            var isWritten = TryFindInGroup(condition.Key, members, own, out var kind, out var stored)
                || (!isUnchanged && version.TryFindWrite(condition.Key, ulong.MaxValue, out var sequence, out kind, out stored)
                    && sequence > check.HeldAt);
            // A key that has to be absent may have been deleted once more.
            var holds = isWritten
                ? condition.Sequence == 0 && !Expiry.IsPresent(kind, stored, now)
                : condition.ExpiresAt == 0 || condition.ExpiresAt > now;
            if (!holds) return check.Fail(condition.Key);
        }

        var left = Allowed(RangeSteps, check);
        foreach (var range in check.Ranges)
        {
            if (FindInGroup(range, members, own, out var found)) return check.Fail(found);
            var outcome = Look(check, range, version.Active, ref left);
            for (var i = 0; outcome == CheckOutcome.Holds && i < version.Immutable.Length; i++)
                outcome = Look(check, range, version.Immutable[i], ref left);
            if (outcome != CheckOutcome.Holds) return outcome;
        }

        return CheckOutcome.Holds;
    }

    static int Allowed(int atFirst, WriteCheck check) => Math.Min(MaxSteps, atFirst << Math.Min(check.StaleLooks, 6));

    // Whether no memtable has anything newer than a sequence.
    static bool IsUnchanged(StoreVersion version, ulong heldAt)
    {
        if (version.Active.LastSequence > heldAt) return false;
        foreach (var table in version.Immutable)
        {
            if (table.LastSequence > heldAt) return false;
        }

        return true;
    }

    static CheckOutcome Look(WriteCheck check, KeyRange range, MemTable table, ref int left)
    {
        if (table.LastSequence <= check.HeldAt) return CheckOutcome.Holds;
        if (--left < 0) return CheckOutcome.Stale;
        foreach (var deleted in table.Ranges is { } ranges ? ranges.All : [])
        {
            if (deleted.Sequence > check.HeldAt && range.Overlaps(deleted.Start, deleted.End, deleted.End is not null))
                return check.Fail(deleted.Start);
        }

        var entries = new MemTableIterator(table);
        for (entries.Seek(range.Start, ulong.MaxValue); entries.IsValid && range.Contains(entries.Key); entries.Next())
        {
            if (entries.Sequence > check.HeldAt) return check.Fail(entries.Key);
            if (--left < 0) return CheckOutcome.Stale;
        }

        return CheckOutcome.Holds;
    }

    void Remember(PendingWrite write)
    {
        if (write.Batch is null) return;
        areRangesDeleted |= write.Batch.HasRangeDeletes;
        foreach (var entry in write.Batch) written.Add(KeyHash.Compute(entry.Key));
    }

    // The last write of a key by members before one's own.
    bool TryFindInGroup(
        ReadOnlySpan<byte> key, List<PendingWrite> members, int own, out EntryKind kind, out ReadOnlySpan<byte> stored)
    {
        kind = EntryKind.None;
        stored = default;
        if (!areRangesDeleted && !written.Contains(KeyHash.Compute(key))) return false;
        var isFound = false;
        for (var i = own - 1; i >= 0 && !isFound; i--)
        {
            if (IsRefused(members[i])) continue;
            var rest = members[i].Batch is { } batch ? batch.Entries : default;
            while (!rest.IsEmpty)
            {
                var entry = LogEntry.Read(rest);
                if (IsWriteOf(entry, rest, key))
                {
                    isFound = true;
                    kind = entry.Kind;
                    stored = entry.ValueIn(rest);
                }

                rest = rest[entry.SizeBytes..];
            }
        }

        return isFound;
    }

    static bool IsWriteOf(in LogEntry entry, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> key)
    {
        var order = entry.KeyIn(bytes).SequenceCompareTo(key);
        if (entry.Kind != EntryKind.RangeDelete) return order == 0;
        return order <= 0 && (entry.ValueLength == 0 || key.SequenceCompareTo(entry.ValueIn(bytes)) < 0);
    }

    static bool FindInGroup(KeyRange range, List<PendingWrite> members, int own, out ReadOnlySpan<byte> found)
    {
        for (var i = 0; i < own; i++)
        {
            if (members[i].Batch is not { } batch || IsRefused(members[i])) continue;
            foreach (var entry in batch)
            {
                var isWritten = entry.IsRangeDelete
                    ? range.Overlaps(entry.Key, entry.RangeEnd, hasOtherEnd: !entry.RangeEnd.IsEmpty)
                    : range.Contains(entry.Key);
                if (!isWritten) continue;
                found = entry.Key;
                return true;
            }
        }

        found = default;
        return false;
    }

    static bool IsRefused(PendingWrite write) => write.Check is { } check && check.Outcome != CheckOutcome.Holds;
}
