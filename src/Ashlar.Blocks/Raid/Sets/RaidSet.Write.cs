using System.Numerics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

sealed partial class RaidSet
{
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteRangesAsync(long offsetBytes, ReadOnlyMemory<byte> source)
    {
        var stripeBytes = (long)chunkBytes * layout.DataPerStripe;
        for (var done = 0; done < source.Length;)
        {
            var (stripe, inStripe) = Math.DivRem(offsetBytes + done, stripeBytes);
            var count = (int)Math.Min(stripeBytes - inStripe, source.Length - done);
            await WriteStripeAsync(stripe, inStripe, source.Slice(done, count)).ConfigureAwait(false);
            done += count;
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteStripeAsync(long stripe, long inStripe, ReadOnlyMemory<byte> source)
    {
        var turn = LockOf(stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            List<ChunkRange> ranges =
                [.. ChunkRange.Split(layout, chunkBytes, (stripe * chunkBytes * layout.DataPerStripe) + inStripe, source.Length)];
            if (layout.ParityPerStripe > 0) await WriteWithParityAsync(ranges, source).ConfigureAwait(false);
            else await WriteDataAsync(ranges, source).ConfigureAwait(false);
        }
        finally
        {
            turn.Exit();
        }
    }

    // To every copy of each.
    ValueTask WriteDataAsync(List<ChunkRange> ranges, ReadOnlyMemory<byte> source)
    {
        var calls = new CallSet();
        foreach (var range in ranges)
        {
            var content = source.Slice((int)range.At, range.LengthBytes);
            for (var copy = 0; copy < layout.Copies; copy++)
            {
                var member = members[layout.MemberOfData(range.Stripe, range.Index, copy)];
                if (member.IsUsable) calls.Add(TakeAsync(member, to => to.WriteAsync(OffsetOf(range.Stripe) + range.OffsetBytes, content)));
            }
        }

        return calls.WhenAllAsync();
    }

    // The ways to new parity: from all data, of which what is not written is read; or from the difference to the old data, which is read
    // with the old parity. The one that reads less is taken. Where what it needs is missing all is read that is there, and the rest
    // calculated.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteWithParityAsync(List<ChunkRange> ranges, ReadOnlyMemory<byte> source)
    {
        var stripe = ranges[0].Stripe;
        Invariant.Require(LockOf(stripe).IsHeld && ranges.TrueForAll(range => range.Stripe == stripe));
        var (first, end) = ranges.Count == 1 ? (ranges[0].OffsetBytes, ranges[0].EndBytes) : (0, chunkBytes);
        using var columns = new StripeColumns(layout, stripe, first, end - first);
        var usable = UsableOf(columns);
        var parity = (columns.BitOfP | columns.BitOfQ) & usable;
        if (parity != 0)
        {
            var (touched, covered) = (0UL, 0UL);
            foreach (var range in ranges)
            {
                touched |= 1UL << range.Index;
                if (range.LengthBytes == columns.LengthBytes) covered |= 1UL << range.Index;
            }

            var (byDifference, byAll) = (touched | parity, columns.AllData & ~covered);
            var isByDifference = (byDifference & ~usable) == 0
                && ((byAll & ~usable) != 0 || BitOperations.PopCount(byDifference) < BitOperations.PopCount(byAll));
            if (await LoadAsync(columns, isByDifference ? byDifference : byAll).ConfigureAwait(false) != 0)
            {
                await LoadOrCalculateAsync(columns).ConfigureAwait(false);
                isByDifference = false;
            }

            if (isByDifference) AddDifference(columns, ranges, source, parity);
            else CalculateParity(columns, ranges, source, covered);
        }

        var calls = new CallSet();
        calls.Add(WriteDataAsync(ranges, source));
        for (; parity != 0; parity &= parity - 1)
        {
            var number = BitOperations.TrailingZeroCount(parity);
            calls.Add(WriteChunkAsync(columns, number, columns.Chunk(number)));
        }

        await calls.WhenAllAsync().ConfigureAwait(false);
    }

    // The old data becomes its difference to the new.
    static void AddDifference(StripeColumns columns, List<ChunkRange> ranges, ReadOnlyMemory<byte> source, ulong parity)
    {
        var code = ParityCode.Instance;
        foreach (var range in ranges)
        {
            var (at, count) = (range.OffsetBytes - columns.OffsetBytes, range.LengthBytes);
            var difference = columns.Chunk(range.Index).Span.Slice(at, count);
            code.Add(difference, source.Span.Slice((int)range.At, count));
            if ((parity & columns.BitOfP) != 0) code.UpdateP(difference, columns.P.Span.Slice(at, count));
            if ((parity & columns.BitOfQ) != 0) code.UpdateQ(difference, range.Index, columns.Q.Span.Slice(at, count));
        }
    }

    void CalculateParity(StripeColumns columns, List<ChunkRange> ranges, ReadOnlyMemory<byte> source, ulong covered)
    {
        var data = columns.Data();
        foreach (var range in ranges)
        {
            var content = source.Slice((int)range.At, range.LengthBytes);
            if ((covered >> range.Index & 1) != 0) data[range.Index] = content;
            else content.CopyTo(columns.Chunk(range.Index)[(range.OffsetBytes - columns.OffsetBytes)..]);
        }

        if (layout.ParityPerStripe == 1) ParityCode.Instance.ComputeP(data, columns.P.Span);
        else ParityCode.Instance.ComputePQ(data, columns.P.Span, columns.Q.Span);
    }

    // The chunks of the columns whose members can be used.
    ulong UsableOf(StripeColumns columns)
    {
        var usable = 0UL;
        for (var number = 0; number < layout.DataPerStripe + layout.ParityPerStripe; number++)
            if (members[columns.MemberOf(number)].IsUsable) usable |= 1UL << number;
        return usable;
    }
}
