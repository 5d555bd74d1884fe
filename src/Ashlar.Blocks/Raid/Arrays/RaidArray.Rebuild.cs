using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

// A member gets what it should hold.
public sealed partial class RaidArray
{
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RebuildAsync(RaidMember member)
    {
        bytesPerSecond = 0;
        var stepStripes = Math.Max(1, options.RebuildStepBytes / current.ChunkBytes);
        var remembered = member.RebuiltStripes;
        var skippedBefore = member.Skipped.Count;
        // What was skipped before comes first.
        foreach (var stripe in member.Skipped.ToArray().Concat(StripesFrom(remembered)))
        {
            if (ShouldStop)
            {
                if (!set.IsLost) await RememberAsync(member, member.RebuiltStripes).ConfigureAwait(false);
                return;
            }

            if (member.Skipped.Count > SkippedStripes.Most) break;

            var startedAt = options.TimeProvider.GetTimestamp();
            bool isWritten;
            try
            {
                isWritten = await set.RebuildStripeAsync(member, stripe, options.Allocated).ConfigureAwait(false);
            }
            catch (BlockDeviceException e) when (!member.IsPresent || !IsOfOthers(member, e))
            {
                // What it does not take harms nobody else: it is missing again.
                await set.FailAsync(member, e).ConfigureAwait(false);
                Report(
                    RaidEventKind.RebuildFailed,
                    $"{member.Device!.Name} could not be rebuilt as member {member.Number}: {e.Message}",
                    member.Number,
                    e);
                return;
            }

            if (!member.IsPresent) return;
            if (stripe + 1 - remembered >= stepStripes)
            {
                await RememberAsync(member, stripe + 1).ConfigureAwait(false);
                remembered = stripe + 1;
            }

            if (isWritten) await PaceAsync(current.ChunkBytes, startedAt).ConfigureAwait(false);
        }

        if (member.Skipped.Count == 0)
        {
            await FinishAsync(member).ConfigureAwait(false);
            return;
        }

        await RememberAsync(member, member.RebuiltStripes).ConfigureAwait(false);
        RetryLater();
        if (member.Skipped is { Count: > 0 } left && left.Count != skippedBefore)
        {
            Report(
                RaidEventKind.RebuildFailed,
                $"{member.Device!.Name}, member {member.Number}, does not hold all that it should: {left.Problem}",
                member.Number);
        }
    }

    IEnumerable<long> StripesFrom(long first)
    {
        for (var stripe = first; stripe < set.StripeCount; stripe++) yield return stripe;
    }

    // Errors bear the name of the device that failed; those of the set are about the others.
    static bool IsOfOthers(RaidMember member, BlockDeviceException e) => e.Device != member.Device!.Name;

    // What was skipped counts as not rebuilt yet, and so does all behind the first of it: a restart does that again.
    // Crash order: what is said to be rebuilt is flushed before, on all members: where nothing was in use all of them were cleared.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RememberAsync(RaidMember member, long stripes)
    {
        await set.FlushMembersAsync().ConfigureAwait(false);
        if (!member.IsPresent) return;
        if (member.Skipped.First is { } skipped) stripes = Math.Min(stripes, skipped);
        await UpdateAsync(now => WithEntry(
            now, member.Number, now.Entries[member.Number] with { RebuiltBytes = stripes * now.ChunkBytes })).ConfigureAwait(false);
    }

    // Changes nothing that members have to agree on: no generation.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask UpdateAsync(Func<MemberSuperblock, MemberSuperblock> change)
    {
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            if (!await WriteSuperblocksAsync(change(current)).ConfigureAwait(false))
                await TransitionLockedAsync(static (_, now) => now).ConfigureAwait(false);
        }
        finally
        {
            turn.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FinishAsync(RaidMember member)
    {
        await set.FlushMembersAsync().ConfigureAwait(false);
        if (!member.IsPresent) return;
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            await TransitionLockedAsync((_, now) =>
            {
                var next = WithEntry(now, member.Number, new MemberEntry(now.Entries[member.Number].Id, MemberState.InSync));
                return next.Entries.All(entry => entry.State == MemberState.InSync) ? next with { MissedSince = 0 } : next;
            }).ConfigureAwait(false);
            if (!member.IsPresent) return;
            // Only now: until all knew, the member did not count as one that could replace another.
            if (current.MissedSince == 0) intent!.ForgetMissed();
            member.Rebuilt(long.MaxValue);
            set.NoteHealth();
        }
        finally
        {
            turn.Exit();
        }

        Report(RaidEventKind.RebuildFinished, $"{member.Device!.Name}, member {member.Number}, holds all that it should", member.Number);
    }

    static MemberSuperblock WithEntry(MemberSuperblock now, int number, MemberEntry entry)
    {
        var entries = now.Entries.ToArray();
        entries[number] = entry;
        return now with { Entries = entries };
    }
}
