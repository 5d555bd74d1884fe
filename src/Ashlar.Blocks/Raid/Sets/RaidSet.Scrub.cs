using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

sealed partial class RaidSet
{
    /// <summary>
    /// After a crash: makes copies the same, and parity what belongs to the data. Whatever the data is, it is what somebody wrote.
    /// </summary>
    /// <returns>Whether anything was changed.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> ResyncStripeAsync(long stripe)
    {
        var turn = LockOf(stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            if (layout.ParityPerStripe == 0)
                return (await LookAtCopiesAsync(stripe, isRepairing: true, null, isAnyRight: true).ConfigureAwait(false)).IsInconsistent;
            using var columns = StripeColumns.Take(layout, stripe, 0, chunkBytes);
            // What is missing can only be what parity says: there is nothing to make it consistent with.
            if (await LoadAsync(columns, columns.AllData).ConfigureAwait(false) != 0) return false;
            var missing = await LoadAsync(columns, columns.BitOfP | columns.BitOfQ).ConfigureAwait(false);
            var (p, q) = RentParity(columns);
            var wrong = missing;
            if (!p.AsSpan(0, chunkBytes).SequenceEqual(columns.P.Span)) wrong |= columns.BitOfP;
            if (layout.ParityPerStripe > 1 && !q.AsSpan(0, chunkBytes).SequenceEqual(columns.Q.Span)) wrong |= columns.BitOfQ;
            if ((wrong & columns.BitOfP) != 0)
                await WriteChunkAsync(columns, layout.DataPerStripe, p.AsMemory(0, chunkBytes)).ConfigureAwait(false);
            if ((wrong & columns.BitOfQ) != 0)
                await WriteChunkAsync(columns, layout.DataPerStripe + 1, q.AsMemory(0, chunkBytes)).ConfigureAwait(false);
            ArrayPool<byte>.Shared.Return(p);
            ArrayPool<byte>.Shared.Return(q);
            return wrong != 0;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Looks whether a stripe can be read and is consistent.</summary>
    /// <param name="stripe">The stripe.</param>
    /// <param name="isRepairing">Whether what is wrong is made right.</param>
    /// <param name="allocated">What is in use.</param>
    /// <param name="oracle">Who knows what blocks should hold, or null.</param>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<StripeFinding> ScrubStripeAsync(
        long stripe, bool isRepairing, IAllocatedRanges? allocated, IChecksumOracle? oracle)
    {
        var turn = LockOf(stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            if (!IsAllocated(allocated, stripe)) return new() { IsFree = true };
            DropStripes(stripe, 1); // What the system's cache has says nothing of the medium.
            return layout.ParityPerStripe > 0
                ? await LookAtParityAsync(stripe, isRepairing, oracle).ConfigureAwait(false)
                : await LookAtCopiesAsync(stripe, isRepairing, oracle).ConfigureAwait(false);
        }
        finally
        {
            turn.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<StripeFinding> LookAtParityAsync(long stripe, bool isRepairing, IChecksumOracle? oracle)
    {
        using var columns = StripeColumns.Take(layout, stripe, 0, chunkBytes);
        var gone = ~UsableOf(columns) & (columns.AllData | columns.BitOfP | columns.BitOfQ);
        var missing = await LoadAsync(columns, columns.AllData | columns.BitOfP | columns.BitOfQ).ConfigureAwait(false);
        var unreadable = missing & ~gone;
        var hasData = (missing & columns.AllData) == 0;
        if (!hasData && !columns.TryRecover(missing)) return new(BitOperations.PopCount(unreadable), false, false, false);
        if (missing != 0)
        {
            // No more is known than what makes up for what is missing: nothing tells whether it is consistent.
            if (!isRepairing || unreadable == 0) return new(BitOperations.PopCount(unreadable), false, false, false);
            var (foundP, foundQ) = RentParity(columns);
            if ((missing & columns.BitOfP) != 0) foundP.AsSpan(0, chunkBytes).CopyTo(columns.P.Span);
            if ((missing & columns.BitOfQ) != 0) foundQ.AsSpan(0, chunkBytes).CopyTo(columns.Q.Span);
            ArrayPool<byte>.Shared.Return(foundP);
            ArrayPool<byte>.Shared.Return(foundQ);
            await WriteChunksAsync(columns, unreadable).ConfigureAwait(false);
            return new(BitOperations.PopCount(unreadable), false, true, false);
        }

        var (p, q) = RentParity(columns);
        try
        {
            var doctor = new StripeDoctor(columns, layout, p, q, oracle is null ? null : IsRight);
            doctor.Mend(Geometry.BlockSizeBytes);
            if (doctor is { Changed: 0, IsUncertain: false }) return default;
            if (isRepairing) await WriteChunksAsync(columns, doctor.Changed).ConfigureAwait(false);
            return new(0, true, isRepairing && !doctor.IsUncertain, doctor.IsUncertain);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(p);
            ArrayPool<byte>.Shared.Return(q);
        }

        bool? IsRight(int index, int at, ReadOnlySpan<byte> content) =>
            oracle.IsRight(new Lba(((layout.ChunkOf(stripe, index) * chunkBytes) + at) / Geometry.BlockSizeBytes), content);
    }

    ValueTask WriteChunksAsync(StripeColumns columns, ulong chunks)
    {
        var calls = CallSet.Take();
        for (; chunks != 0; chunks &= chunks - 1)
        {
            var number = BitOperations.TrailingZeroCount(chunks);
            calls.Add(WriteChunkAsync(columns, number, columns.Chunk(number)));
        }

        return calls.WhenAllAsync();
    }

    (byte[] P, byte[] Q) RentParity(StripeColumns columns)
    {
        var (p, q) = (ArrayPool<byte>.Shared.Rent(chunkBytes), ArrayPool<byte>.Shared.Rent(chunkBytes));
        if (layout.ParityPerStripe == 1) ParityCode.Instance.ComputeP(columns.Data(), p.AsSpan(0, chunkBytes));
        else ParityCode.Instance.ComputePQ(columns.Data(), p.AsSpan(0, chunkBytes), q.AsSpan(0, chunkBytes));
        return (p, q);
    }

    // Where any content is right that somebody wrote, all copies become the first; else what nothing tells of is left.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<StripeFinding> LookAtCopiesAsync(long stripe, bool isRepairing, IChecksumOracle? oracle, bool isAnyRight = false)
    {
        var (unreadable, isInconsistent, isRepaired, isUncertain) = (0, false, false, false);
        for (var index = 0; index < layout.DataPerStripe; index++)
        {
            List<(int Copy, byte[] Content)> copies = [];
            List<int> unread = [];
            for (var copy = 0; copy < layout.Copies; copy++)
            {
                if (!members[layout.MemberOfData(stripe, index, copy)].IsUsableAt(stripe)) continue;
                var content = new byte[chunkBytes];
                var range = new ChunkRange(stripe, index, 0, chunkBytes, 0);
                if (await TryReadMemberAsync(range, content, copy).ConfigureAwait(false)) copies.Add((copy, content));
                else unread.Add(copy);
            }

            unreadable += unread.Count;
            if (copies.Count == 0) continue;
            var right = new byte[chunkBytes];
            var unsure = Choose(copies.ConvertAll(copy => copy.Content), index, right);
            if (isAnyRight) unsure.Clear();
            isUncertain |= unsure.Count > 0;
            isInconsistent |= copies.Exists(copy => !copy.Content.AsSpan().SequenceEqual(right));
            if (!isRepairing) continue;
            foreach (var (copy, content) in copies)
            {
                var mended = (byte[])right.Clone();
                foreach (var at in unsure) content.AsSpan(at, Geometry.BlockSizeBytes).CopyTo(mended.AsSpan(at));
                if (!content.AsSpan().SequenceEqual(mended)) await MendAsync(index, copy, mended).ConfigureAwait(false);
            }

            // What one held that cannot be read must not become the most that copies hold.
            if (unsure.Count > 0) continue;
            foreach (var copy in unread) await MendAsync(index, copy, right).ConfigureAwait(false);
        }

        return new(unreadable, isInconsistent, isRepaired && !isUncertain, isUncertain);

        ValueTask MendAsync(int index, int copy, byte[] content)
        {
            isRepaired = true;
            return WriteMemberAsync(layout.MemberOfData(stripe, index, copy), stripe, 0, content);
        }

        // Block by block: the copy that is said to be right; else what most copies hold; else the first. Gives where that is so.
        List<int> Choose(List<byte[]> copies, int index, byte[] right)
        {
            var block = Geometry.BlockSizeBytes;
            List<int> unsure = [];
            copies[0].CopyTo(right, 0);
            for (var at = 0; at < chunkBytes; at += block)
            {
                if (copies.TrueForAll(copy => copy.AsSpan(at, block).SequenceEqual(copies[0].AsSpan(at, block)))) continue;
                var lba = new Lba(((layout.ChunkOf(stripe, index) * chunkBytes) + at) / block);
                var chosen = copies.Find(copy => oracle?.IsRight(lba, copy.AsSpan(at, block)) == true)
                    ?? copies.Find(copy => 2 * copies.Count(other => IsSame(other, copy, at, block)) > copies.Count);
                if (chosen is null) unsure.Add(at);
                (chosen ?? copies[0]).AsSpan(at, block).CopyTo(right.AsSpan(at));
            }

            return unsure;
        }

        static bool IsSame(byte[] one, byte[] other, int at, int count) => one.AsSpan(at, count).SequenceEqual(other.AsSpan(at, count));
    }
}
