using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

public sealed partial class RaidArray
{
    readonly List<(RaidMember Member, Place Device)> replacements = [];

    /// <summary>
    /// Puts a device in the place of a member. One that still works stays in use until the device holds all that it holds, so that no
    /// redundancy is given up; after that it belongs to the set no more. The set takes the device over, and goes on in the background.
    /// </summary>
    /// <exception cref="RaidRefusedException">The device is in use, or does not fit, or the member is being rebuilt or
    /// replaced.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ReplaceAsync(int place, IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)place, (uint)places.Length, nameof(place));
        var member = set.Members[place];
        if (!member.IsPresent)
        {
            await AddAsync(place, device).ConfigureAwait(false);
            return;
        }

        if (!member.IsUsable || member.Twin is not null)
            throw new RaidRefusedException(Name, RaidRefusal.WrongState, $"member {place} is being rebuilt or replaced");
        var twin = await PrepareSpareAsync(device, places[place].Id).ConfigureAwait(false);
        if (!TryBeginReplacing(member, twin))
            throw new RaidRefusedException(Name, RaidRefusal.WrongState, $"member {place} is being replaced");
        WakeBackground();
    }

    bool TryBeginReplacing(RaidMember member, Place twin)
    {
        lock (replacements)
        {
            if (member.Twin is not null) return false;
            member.Twin = new MemberTwin(twin.Device!, twin.Use);
            replacements.Add((member, twin));
        }

        var message = $"{twin.Device!.Name} is made a copy of member {member.Number}, {member.Device!.Name}";
        Report(RaidEventKind.RebuildStarted, message, member.Number);
        return true;
    }

    // Spares that say that they replace a member did so when the set was last open. They do it again from the beginning: what was written
    // when they were not there they have missed.
    void TakeUpReplacements()
    {
        foreach (var member in set.Members)
        {
            if (!member.IsUsable || set.IsLost) continue;
            lock (spares)
            {
                if (spares.Find(each => each.Replaces == places[member.Number].Id) is { } spare && TryBeginReplacing(member, spare))
                    spares.Remove(spare);
            }
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReplaceWantedAsync()
    {
        List<(RaidMember Member, Place Device)> wanted;
        lock (replacements) wanted = [.. replacements];
        foreach (var each in wanted)
        {
            if (!await CopyAsync(each.Member, each.Device).ConfigureAwait(false)) continue;
            lock (replacements) replacements.Remove(each);
        }
    }

    // False when it has to wait. What is written meanwhile goes to both, so that each stripe is right once it has been copied.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> CopyAsync(RaidMember member, Place device)
    {
        bytesPerSecond = 0;
        var twin = member.Twin!;
        var skippedBefore = twin.Skipped.Count;
        foreach (var stripe in twin.Skipped.ToArray().Concat(StripesFrom(twin.CopiedStripes)))
        {
            if (!member.IsPresent || twin.Failure is not null || twin.Skipped.Count > SkippedStripes.Most) break;
            if (ShouldStop) return false;
            var startedAt = options.TimeProvider.GetTimestamp();
            await set.CopyStripeAsync(member, stripe).ConfigureAwait(false);
            twin.CopiedStripes = Math.Max(twin.CopiedStripes, stripe + 1);
            await PaceAsync(current.ChunkBytes, startedAt).ConfigureAwait(false);
        }

        await twin.FlushAsync().ConfigureAwait(false);
        if (twin is { Failure: null, Skipped: { Count: > 0 } left } && member.IsPresent)
        {
            // The member goes on: what it cannot read it knows not to have.
            RetryLater();
            if (left.Count != skippedBefore)
            {
                var message = $"{device.Device!.Name} cannot replace member {member.Number}: {left.Problem}";
                Report(RaidEventKind.RebuildFailed, message, member.Number);
            }

            return false;
        }

        // Without writers: what one of them fails to write to the device from then on is missed by a member.
        if (twin.Failure is null && member.IsPresent)
            await set.WithoutWritersAsync(() => PromoteAsync(member, device)).ConfigureAwait(false);
        if (ReferenceEquals(places[member.Number], device)) return true;
        member.Twin = null;
        if (twin.Failure is { } failure)
        {
            lock (retired) retired.Add(device);
            Report(
                RaidEventKind.RebuildFailed,
                $"{device.Device!.Name} does not replace member {member.Number}: {failure.Message}",
                member.Number,
                failure);
            return true;
        }

        // The member has failed before: the device is a spare like any other.
        lock (spares) spares.Insert(0, device);
        WakeBackground();
        return true;
    }

    // Crash order: the device says that it has the place before the others say so, and whose; until they do nobody believes it, the member
    // is still in sync, and the device is made a copy of it again. From the first proposal on the device is in sync, which holds the same.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask PromoteAsync(RaidMember member, Place device)
    {
        var number = member.Number;
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            var says = current with { MemberId = device.Id, Place = number, Replaces = places[number].Id };
            await member.Twin!.FlushAsync().ConfigureAwait(false);
            if (member.Twin.Failure is not null || !member.IsPresent) return;
            try
            {
                await device.Pair!.WriteAsync(says).ConfigureAwait(false);
            }
            catch (BlockDeviceException e)
            {
                member.Twin.GiveUp(e);
                return;
            }

            lock (retired) retired.Add(places[number]);
            places[number] = device;
            set.Promote(new RaidMember(number, device.Device, current.Areas.DataAt, KeepsSpace(device.Device), device.Use));
            intent?.TakeAllForStale();
            await WriteRegionsLockedAsync().ConfigureAwait(false);
            await TransitionLockedAsync((_, now) => WithEntry(now, number, new MemberEntry(device.Id, MemberState.InSync)))
                .ConfigureAwait(false);
        }
        finally
        {
            turn.Exit();
        }

        Report(RaidEventKind.RebuildFinished, $"{device.Device!.Name} has replaced {member.Device!.Name} as member {number}", number);
    }
}
