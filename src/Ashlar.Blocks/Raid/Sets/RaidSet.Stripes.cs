using System.Numerics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <remarks>Work on whole stripes: what is in their places, whatever the cache has.</remarks>
sealed partial class RaidSet
{
    /// <summary>Writes the same to all members that hold all, outside of their data.</summary>
    public ValueTask WriteAreaAsync(long offsetBytes, ReadOnlyMemory<byte> content)
    {
        var calls = CallSet.Take();
        foreach (var member in members)
            if (member.IsUsable) calls.Add(TakeAsync(member, member.WriteAreaAsync(offsetBytes, content)));
        return calls.WhenAllAsync();
    }

    /// <summary>Puts what a batch has of a stripe in its place once more.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ReplayAsync(JournaledStripe record)
    {
        var turn = LockOf(record.Stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            await PlaceAsync(record.Stripe, record.Runs, record.ParityOffset, record.P, record.Q).ConfigureAwait(false);
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>
    /// Gives a member what it should hold of a stripe; from then on it is relied on for it. A stripe that cannot be calculated is skipped.
    /// </summary>
    /// <param name="member">The member, which is being rebuilt and has come to this stripe, or has skipped it.</param>
    /// <param name="stripe">The stripe.</param>
    /// <param name="allocated">What is in use.</param>
    /// <returns>Whether anything was written.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> RebuildStripeAsync(RaidMember member, long stripe, IAllocatedRanges? allocated)
    {
        var turn = LockOf(stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            var isNew = member.RebuiltStripes == stripe;
            Invariant.Require(isNew || member.Skipped.Contains(stripe));
            var isNeeded = !member.IsUsableAt(stripe);
            if (isNeeded && MayClear(member, stripe) && !IsAllocated(allocated, stripe))
            {
                Intent?.Miss(stripe); // One that fails before it has flushed this has missed it.
                await ClearStripeAsync(stripe).ConfigureAwait(false);
                if (member.IsPresent) await member.ZeroAsync(OffsetOf(stripe), chunkBytes, ZeroOptions.None).ConfigureAwait(false);
            }
            else if (isNeeded)
            {
                using var columns = StripeColumns.Take(layout, stripe, 0, chunkBytes);
                ReadOnlyMemory<byte> content;
                try
                {
                    content = await ContentOfAsync(columns, member.Number).ConfigureAwait(false);
                }
                catch (Exception e) when (IsUnreadable(e) && !IsLost)
                {
                    if (!isNew) return false;
                    member.Skipped.Add(stripe, e); // First: at no time it is relied on for it.
                    member.Rebuilt(stripe + 1);
                    return true;
                }

                await member.WriteAsync(OffsetOf(stripe), content).ConfigureAwait(false);
            }

            if (isNew) member.Rebuilt(stripe + 1);
            else member.Skipped.Remove(stripe);
            return isNeeded;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>
    /// Copies what a member holds of a stripe to its twin; what it cannot read is calculated, and what cannot be calculated is skipped.
    /// </summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask CopyStripeAsync(RaidMember member, long stripe)
    {
        if (member.Twin is not { } twin) return;
        var turn = LockOf(stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            using var columns = StripeColumns.Take(layout, stripe, 0, chunkBytes);
            ReadOnlyMemory<byte> content = columns.Chunk(0);
            try
            {
                await member.ReadAsync(OffsetOf(stripe), columns.Chunk(0)).ConfigureAwait(false);
            }
            catch (Exception e) when (IsUnreadable(e))
            {
                try
                {
                    content = await ContentOfAsync(columns, member.Number).ConfigureAwait(false);
                }
                catch (Exception lost) when (IsUnreadable(lost) && !IsLost)
                {
                    if (!twin.Skipped.Contains(stripe)) twin.Skipped.Add(stripe, lost);
                    return;
                }

                await WriteMemberAsync(member.Number, stripe, 0, content).ConfigureAwait(false);
            }

            await twin.WriteAsync(member.LbaOf(OffsetOf(stripe)), content).ConfigureAwait(false);
            if (twin.Skipped.Contains(stripe)) twin.Skipped.Remove(stripe);
        }
        finally
        {
            turn.Exit();
        }
    }

    // Who is not there would come back with what the others have cleared. Of two parities one may be cleared by a crash and the other not:
    // what is calculated without a member is right by definition, what is calculated without two is so only if both parities agree.
    bool MayClear(RaidMember rebuilt, long stripe) => layout.ParityPerStripe < 2
        && Array.TrueForAll(members, member => member == rebuilt || member.IsUsableAt(stripe));

    // Under the lock: nothing is in use there, and what is on the members need not be consistent.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ClearStripeAsync(long stripe)
    {
        var calls = CallSet.Take();
        foreach (var member in members)
            if (member.IsUsableAt(stripe)) calls.Add(TakeAsync(member, member.ZeroAsync(OffsetOf(stripe), chunkBytes, ZeroOptions.None)));
        await calls.WhenAllAsync().ConfigureAwait(false);
    }

    bool IsAllocated(IAllocatedRanges? allocated, long stripe)
    {
        if (allocated is null || cache?.Holds(stripe) == true) return true;
        var blocks = StripeBytes / Geometry.BlockSizeBytes;
        return allocated.IsAllocated(new Lba(stripe * blocks), blocks);
    }

    // What a member should hold of a stripe.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<ReadOnlyMemory<byte>> ContentOfAsync(StripeColumns columns, int member)
    {
        var role = layout.RoleOf(columns.Stripe, member);
        if (layout.ParityPerStripe == 0)
        {
            for (var copy = 0; copy < layout.Copies; copy++)
            {
                var range = new ChunkRange(columns.Stripe, role.Index, 0, chunkBytes, 0);
                var isOther = layout.MemberOfData(columns.Stripe, role.Index, copy) != member;
                if (isOther && await TryReadMemberAsync(range, columns.Chunk(0), copy).ConfigureAwait(false)) return columns.Chunk(0);
            }

            throw Lost();
        }

        await LoadOrCalculateAsync(columns).ConfigureAwait(false);
        if (role.Kind == ChunkKind.Data) return columns.Chunk(role.Index);
        if (layout.ParityPerStripe == 1) ParityCode.Instance.ComputeP(columns.Data(), columns.P.Span);
        else ParityCode.Instance.ComputePQ(columns.Data(), columns.P.Span, columns.Q.Span);
        return role.Kind == ChunkKind.P ? columns.P : columns.Q;
    }
}
