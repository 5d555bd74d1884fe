using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <remarks>What all members are told.</remarks>
public sealed partial class RaidArray
{
    // Batches of before are not replayed when this is the epoch.
    static long EpochAfter(MemberSuperblock now) => (now.Generation | 1) + 1;

    // The hook of the set. When too many are gone nobody is told: nothing is acknowledged any more, and all that are left are of one time.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RecordFailureAsync(RaidMember member)
    {
        if (layout.Copies == 1 && layout.ParityPerStripe == 0) return;
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            if (set.IsLost || set.Members[member.Number] != member || current.Entries[member.Number].State == MemberState.Missing) return;
            MarkMissed();
            await WriteRegionsLockedAsync().ConfigureAwait(false);
            await TransitionLockedAsync(static (_, now) => now).ConfigureAwait(false);
        }
        finally
        {
            turn.Exit();
        }
    }

    // Whatever was not flushed may be missing on a member that has failed; and so may what is in no place of its own yet.
    void MarkMissed()
    {
        intent!.MissUnflushed();
        foreach (var stripe in set.UnsettledStripes) intent.Miss(stripe);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask PersistRegionsAsync()
    {
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            await WriteRegionsLockedAsync().ConfigureAwait(false);
            if (HasUnrecorded()) await TransitionLockedAsync(static (_, now) => now).ConfigureAwait(false);
        }
        finally
        {
            turn.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask TransitionAsync(Func<RaidArray, MemberSuperblock, MemberSuperblock> change)
    {
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            await TransitionLockedAsync(change).ConfigureAwait(false);
        }
        finally
        {
            turn.Exit();
        }
    }

    // Proposes a generation to all that are there, and when all have it settles it. Whoever does not take it has failed, and is left out of
    // one more.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask TransitionLockedAsync(Func<RaidArray, MemberSuperblock, MemberSuperblock> change)
    {
        Invariant.Require(turn.IsHeld);
        var (before, next) = (current, change(this, current));
        while (true)
        {
            next = WithoutMissing(next);
            next = next with { Generation = next.Generation | 1 };
            if (!await WriteSuperblocksAsync(next).ConfigureAwait(false)) continue;
            next = next with { Generation = next.Generation + 1 };
            if (!await WriteSuperblocksAsync(next).ConfigureAwait(false)) continue;
            break;
        }

        Volatile.Write(ref current, next);
        Volatile.Write(ref settledGeneration, next.Generation);
        foreach (var member in set.Members)
        {
            if (member.Failure is not { } failure || next.Entries[member.Number].State != MemberState.Missing) continue;
            member.IsFailureRecorded = true;
            if (before.Entries[member.Number].State == MemberState.Missing) continue;
            Report(
                RaidEventKind.MemberFailed,
                $"{member.Device!.Name}, member {member.Number}, is not used any more: {failure.Message}",
                member.Number,
                failure);
            WakeBackground();
        }
    }

    // Those that are not there are missing from the settled generation on.
    MemberSuperblock WithoutMissing(MemberSuperblock next)
    {
        var leftAt = (next.Generation + 1) & ~1L;
        var entries = next.Entries.ToArray();
        var missedSince = next.MissedSince;
        for (var number = 0; number < entries.Length; number++)
        {
            if (set.Members[number].IsPresent || entries[number].State == MemberState.Missing) continue;
            // One that was not whole again was so for the last time when it had left before.
            var wasInSync = entries[number].State == MemberState.InSync;
            entries[number] = new MemberEntry(entries[number].Id, MemberState.Missing, wasInSync ? leftAt : entries[number].LeftAt);
            if (missedSince == 0) missedSince = leftAt;
        }

        return next with { Entries = entries, MissedSince = missedSince };
    }

    bool HasUnrecorded()
    {
        foreach (var member in set.Members)
            if (!member.IsPresent && current.Entries[member.Number].State != MemberState.Missing) return true;
        return false;
    }

    // False when a member has not taken it, which is not used any more.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> WriteSuperblocksAsync(MemberSuperblock next)
    {
        var isWhole = true;
        var calls = CallSet.Take();
        for (var number = 0; number < places.Length; number++)
            if (set.Members[number].IsPresent) calls.Add(WriteAsync(number));
        await calls.WhenAllAsync().ConfigureAwait(false);
        Volatile.Write(ref current, next);
        if (set.IsLost) throw new DeviceIOException(Name, "too many members have failed to go on", isTransient: false);
        return isWhole;

        [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
        async ValueTask WriteAsync(int number)
        {
            try
            {
                await places[number].Pair!.WriteAsync(next with { MemberId = places[number].Id, Place = number }).ConfigureAwait(false);
            }
            catch (BlockDeviceException missed)
            {
                Fail(number, missed);
                isWhole = false;
            }
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteRegionsLockedAsync()
    {
        Invariant.Require(turn.IsHeld);
        if (intent is null || intent.TakeStale() is not { Count: > 0 } pages) return;
        var calls = CallSet.Take();
        for (var number = 0; number < places.Length; number++)
            if (set.Members[number].IsPresent) calls.Add(WriteAsync(number));
        await calls.WhenAllAsync().ConfigureAwait(false);
        if (set.IsLost) throw new DeviceIOException(Name, "too many members have failed to go on", isTransient: false);

        [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
        async ValueTask WriteAsync(int number)
        {
            try
            {
                var member = set.Members[number];
                foreach (var (map, page, content) in pages)
                {
                    var at = MemberAreas.RegionMapAt(map) + ((long)page * RegionMap.PageBytes);
                    await member.WriteAreaAsync(at, content).ConfigureAwait(false);
                }

                await member.Device!.FlushAsync().ConfigureAwait(false);
            }
            catch (BlockDeviceException missed)
            {
                Fail(number, missed);
            }
        }
    }

    void Fail(int number, Exception missed)
    {
        set.Members[number].TryFail(missed);
        set.NoteHealth();
        if (intent is not null && !set.IsLost) MarkMissed();
    }
}
