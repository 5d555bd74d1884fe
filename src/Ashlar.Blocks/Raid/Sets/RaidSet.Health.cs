using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

// Which members are used, and what happens when one is not any more.
sealed partial class RaidSet
{
    /// <summary>Puts the twin of a member in its place, which holds the same.</summary>
    public void Promote(RaidMember twin)
    {
        Invariant.Require(twin.IsUsable);
        members[twin.Number] = twin;
        NoteHealth();
    }

    /// <summary>Puts another device in a member's place, which holds nothing yet that it should.</summary>
    public void Replace(RaidMember member)
    {
        Invariant.Require(!member.IsUsable && !members[member.Number].IsPresent);
        members[member.Number] = member;
        NoteHealth();
    }

    /// <summary>Whether members are usable has changed.</summary>
    public void NoteHealth()
    {
        // One after the other: what is said last has seen all.
        lock (healthGate)
        {
            HashSet<int>? lost = null;
            foreach (var member in members)
                if (!member.IsUsable) (lost ??= []).Add(member.Number);
            Volatile.Write(ref isLost, lost is not null && !layout.Survives(lost));
            Volatile.Write(ref isDegraded, lost is not null);
        }
    }

    /// <summary>A member is not used any more. Ends when that is remembered.</summary>
    /// <exception cref="DeviceIOException">Too many are missing then.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FailAsync(RaidMember member, Exception missed)
    {
        Interlocked.Increment(ref unrecorded);
        try
        {
            member.TryFail(missed);
            NoteHealth();
            await RecordAsync(member).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref unrecorded);
        }

        CheckSurvival();
    }

    // Also whoever only found a member gone already waits until that is remembered: its request has been missed as well.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WaitForRecordsAsync()
    {
        foreach (var member in members)
            if (member.Failure is not null) await RecordAsync(member).ConfigureAwait(false);
        CheckSurvival();
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RecordAsync(RaidMember member)
    {
        if (member.IsFailureRecorded) return;
        await member.Recording.EnterAsync().ConfigureAwait(false);
        try
        {
            if (member.IsFailureRecorded) return;
            await memberFailed(member).ConfigureAwait(false);
            member.IsFailureRecorded = true;
        }
        finally
        {
            member.Recording.Exit();
        }
    }

    // Something that a member has to take, and that never throws but by its task. One that does not is not used any more.
    ValueTask TakeAsync(RaidMember member, ValueTask call)
    {
        if (!call.IsCompletedSuccessfully) return WaitAsync(member, call);
        call.GetAwaiter().GetResult();
        return ValueTask.CompletedTask;

        [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
        async ValueTask WaitAsync(RaidMember member, ValueTask call)
        {
            try
            {
                await call.ConfigureAwait(false);
            }
            catch (BlockDeviceException missed) when (layout.Copies > 1 || layout.ParityPerStripe > 0)
            {
                await FailAsync(member, missed).ConfigureAwait(false);
            }
        }
    }

    void CheckSurvival()
    {
        if (IsLost) throw Lost();
    }

    DeviceIOException Lost(Exception? cause = null)
    {
        var gone = members.Where(member => !member.IsUsable).ToList();
        var names = string.Join(", ", gone.Select(member => member.Device?.Name ?? $"member {member.Number}"));
        cause ??= gone.Select(member => member.Failure).FirstOrDefault(failure => failure is not null);
        return new DeviceIOException(
            Name,
            gone.Count > 0
                ? $"RAID-{(int)layout.Level} of {members.Length} devices cannot do without {names}"
                : $"too many devices cannot read the same stripe: {cause?.Message}",
            isTransient: false,
            cause);
    }
}
