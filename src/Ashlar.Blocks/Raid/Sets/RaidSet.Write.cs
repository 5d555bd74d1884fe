using System.Numerics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

sealed partial class RaidSet
{
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteRangesAsync(long offsetBytes, ReadOnlyMemory<byte> source)
    {
        for (var done = 0; done < source.Length;)
        {
            var (stripe, inStripe) = Math.DivRem(offsetBytes + done, StripeBytes);
            var count = (int)Math.Min(StripeBytes - inStripe, source.Length - done);
            await WriteStripeAsync(stripe, inStripe, source.Slice(done, count)).ConfigureAwait(false);
            done += count;
        }
    }

    // With a journal, only whole stripes are written directly, and those only while no member is missing: torn by a crash, they are made
    // consistent from their data, all of which is there then.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteStripeAsync(long stripe, long inStripe, ReadOnlyMemory<byte> source)
    {
        var ranges = new ChunkRanges(layout, chunkBytes, (stripe * StripeBytes) + inStripe, source.Length);
        if (cache is not null && !MayWriteDirectly(stripe, source.Length))
        {
            await WriteCachedAsync(stripe, ranges, source).ConfigureAwait(false);
            return;
        }

        if (Intent is { } intent) await intent.BeginAsync(stripe).ConfigureAwait(false);
        var turn = LockOf(stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            // Somebody may have put a part into the cache meanwhile.
            if (cache is not null && !MayWriteDirectly(stripe, source.Length)) PutCached(ranges, source.Span);
            else if (layout.ParityPerStripe > 0) await WriteWithParityAsync(stripe, ranges, source).ConfigureAwait(false);
            else await WriteDataAsync(ranges, source).ConfigureAwait(false);
        }
        finally
        {
            turn.Exit();
            Intent?.End(stripe);
        }
    }

    bool MayWriteDirectly(long stripe, int lengthBytes) => lengthBytes == StripeBytes && !IsDegraded && !cache!.Holds(stripe);

    // To every copy of each.
    ValueTask WriteDataAsync(ChunkRanges ranges, ReadOnlyMemory<byte> source)
    {
        var calls = CallSet.Take();
        foreach (var range in ranges)
        {
            var content = source.Slice((int)range.At, range.LengthBytes);
            for (var copy = 0; copy < layout.Copies; copy++)
            {
                var member = layout.MemberOfData(range.Stripe, range.Index, copy);
                calls.Add(WriteMemberAsync(member, range.Stripe, range.OffsetBytes, content));
            }
        }

        return calls.WhenAllAsync();
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteWithParityAsync(long stripe, ChunkRanges ranges, ReadOnlyMemory<byte> source)
    {
        Invariant.Require(LockOf(stripe).IsHeld);
        var (first, end) = ranges.TryGetSingle(out var single) ? (single.OffsetBytes, single.EndBytes) : (0, chunkBytes);
        using var columns = StripeColumns.Take(layout, stripe, first, end - first);
        var runs = columns.Runs;
        foreach (var range in ranges) runs.Add(new(range.Index, range.OffsetBytes, source.Slice((int)range.At, range.LengthBytes)));
        var parity = (columns.BitOfP | columns.BitOfQ) & UsableOf(columns);
        if (parity != 0) await CalculateParityAsync(columns, runs, parity).ConfigureAwait(false);
        await PlaceAsync(stripe, runs, first, (parity & columns.BitOfP) != 0 ? columns.P : default,
            (parity & columns.BitOfQ) != 0 ? columns.Q : default).ConfigureAwait(false);
    }

    /// <summary>Writes parts of a stripe, and the parity that belongs to them, in their places.</summary>
    ValueTask PlaceAsync(
        long stripe, List<StripeRun> runs, int parityOffset, ReadOnlyMemory<byte> p, ReadOnlyMemory<byte> q)
    {
        var calls = CallSet.Take();
        foreach (var run in runs)
            calls.Add(WriteMemberAsync(layout.MemberOfData(stripe, run.Index), stripe, run.OffsetBytes, run.Content));
        if (!p.IsEmpty) calls.Add(WriteMemberAsync(layout.MemberOfP(stripe), stripe, parityOffset, p));
        if (!q.IsEmpty) calls.Add(WriteMemberAsync(layout.MemberOfQ(stripe), stripe, parityOffset, q));
        return calls.WhenAllAsync();
    }

    // The ways to new parity: from all data, of which what is not written is read; or from the difference to the old data, which is read
    // with the old parity. The one that reads less is taken. Where what it needs is missing all is read that is there, and the rest
    // calculated.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask CalculateParityAsync(StripeColumns columns, List<StripeRun> runs, ulong parity)
    {
        var usable = UsableOf(columns);
        var (touched, covered) = (0UL, 0UL);
        foreach (var run in runs)
        {
            touched |= 1UL << run.Index;
            if (run.Content.Length == columns.LengthBytes) covered |= 1UL << run.Index;
        }

        var (byDifference, byAll) = (touched | parity, columns.AllData & ~covered);
        var isByDifference = (byDifference & ~usable) == 0
            && ((byAll & ~usable) != 0 || BitOperations.PopCount(byDifference) < BitOperations.PopCount(byAll));
        if (await LoadAsync(columns, isByDifference ? byDifference : byAll).ConfigureAwait(false) != 0)
        {
            await LoadOrCalculateAsync(columns).ConfigureAwait(false);
            isByDifference = false;
        }

        if (isByDifference) AddDifference(columns, runs, parity);
        else CalculateParity(columns, runs, covered);
    }

    // The old data becomes its difference to the new.
    static void AddDifference(StripeColumns columns, List<StripeRun> runs, ulong parity)
    {
        var code = ParityCode.Instance;
        foreach (var run in runs)
        {
            var (at, count) = (run.OffsetBytes - columns.OffsetBytes, run.Content.Length);
            var difference = columns.Chunk(run.Index).Span.Slice(at, count);
            code.Add(difference, run.Content.Span);
            if ((parity & columns.BitOfP) != 0) code.UpdateP(difference, columns.P.Span.Slice(at, count));
            if ((parity & columns.BitOfQ) != 0) code.UpdateQ(difference, run.Index, columns.Q.Span.Slice(at, count));
        }
    }

    void CalculateParity(StripeColumns columns, List<StripeRun> runs, ulong covered)
    {
        var data = columns.Data();
        foreach (var run in runs)
        {
            if ((covered >> run.Index & 1) != 0) data[run.Index] = run.Content;
            else run.Content.CopyTo(columns.Chunk(run.Index)[(run.OffsetBytes - columns.OffsetBytes)..]);
        }

        if (layout.ParityPerStripe == 1) ParityCode.Instance.ComputeP(data, columns.P.Span);
        else ParityCode.Instance.ComputePQ(data, columns.P.Span, columns.Q.Span);
    }

    // The chunks of the columns whose members can be used.
    ulong UsableOf(StripeColumns columns)
    {
        var usable = 0UL;
        for (var number = 0; number < layout.DataPerStripe + layout.ParityPerStripe; number++)
            if (members[columns.MemberOf(number)].IsUsableAt(columns.Stripe)) usable |= 1UL << number;
        return usable;
    }
}
