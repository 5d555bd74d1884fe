using System.Numerics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

sealed partial class RaidSet
{
    ValueTask ReadRangesAsync(long offsetBytes, Memory<byte> destination)
    {
        var ranges = new ChunkRanges(layout, chunkBytes, offsetBytes, destination.Length);
        if (ranges.TryGetSingle(out var single)) return ReadRangeAsync(single, destination);
        var calls = CallSet.Take();
        foreach (var range in ranges) calls.Add(ReadRangeAsync(range, destination.Slice((int)range.At, range.LengthBytes)));
        return calls.WhenAllAsync();
    }

    ValueTask ReadRangeAsync(ChunkRange range, Memory<byte> destination)
    {
        if (layout.Copies > 1) return ReadCopyAsync(range, destination);
        // What is put into the cache from now on is written at the same time; what leaves it meanwhile, under the lock.
        return cache?.Find(range.Stripe) is null ? ReadDataAsync(range, destination) : ReadLockedAsync(range, destination);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReadDataAsync(ChunkRange range, Memory<byte> destination)
    {
        if (!await TryReadStoredAsync(range, destination).ConfigureAwait(false))
            await ReadLockedAsync(range, destination).ConfigureAwait(false);
    }

    // False where parity has to help.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryReadStoredAsync(ChunkRange range, Memory<byte> destination)
    {
        var member = members[layout.MemberOfData(range.Stripe, range.Index)];
        if (member.IsUsableAt(range.Stripe))
        {
            try
            {
                await member.ReadAsync(OffsetOf(range.Stripe) + range.OffsetBytes, destination).ConfigureAwait(false);
                return true;
            }
            catch (Exception e) when (IsUnreadable(e) && layout.ParityPerStripe > 0)
            {
                // The others know.
            }
        }

        return layout.ParityPerStripe > 0 ? false : throw Lost();
    }

    // Under the stripe's lock: otherwise data and parity of different times would be put together, or a block missed on its way from the
    // cache to its place.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReadLockedAsync(ChunkRange range, Memory<byte> destination)
    {
        var turn = LockOf(range.Stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            var cached = cache?.Find(range.Stripe);
            if (cached?.Covers(range.Index, range.OffsetBytes, range.LengthBytes) != true
                && !await TryReadStoredAsync(range, destination).ConfigureAwait(false))
                await CalculateAsync(range, destination).ConfigureAwait(false);
            cached?.Overlay(range.Index, range.OffsetBytes, destination.Span);
        }
        finally
        {
            turn.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask CalculateAsync(ChunkRange range, Memory<byte> destination)
    {
        using var columns = StripeColumns.Take(layout, range.Stripe, range.OffsetBytes, range.LengthBytes);
        var missing = await LoadOrCalculateAsync(columns).ConfigureAwait(false);
        columns.Chunk(range.Index).CopyTo(destination);
        // What could not be read is written again; a bad block is replaced by that, or the member has failed.
        for (missing &= columns.AllData; missing != 0; missing &= missing - 1)
        {
            var number = BitOperations.TrailingZeroCount(missing);
            await WriteChunkAsync(columns, number, columns.Chunk(number)).ConfigureAwait(false);
        }
    }

    /// <summary>Fills all data of the columns; gives the chunks that could not be read and were calculated.</summary>
    /// <exception cref="DeviceIOException">Too many are missing.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<ulong> LoadOrCalculateAsync(StripeColumns columns)
    {
        Invariant.Require(LockOf(columns.Stripe).IsHeld);
        var missing = await LoadAsync(columns, columns.AllData | columns.BitOfP).ConfigureAwait(false);
        if ((missing & columns.AllData) == 0) return missing;
        var (isOne, hasP) = (BitOperations.IsPow2(missing & columns.AllData), (missing & columns.BitOfP) == 0);
        if (!isOne || !hasP) missing |= columns.BitOfQ == 0 ? 0 : await LoadAsync(columns, columns.BitOfQ).ConfigureAwait(false);
        return columns.TryRecover(missing) ? missing : throw Lost();
    }

    /// <summary>Reads some chunks of the columns; gives those that cannot be read.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<ulong> LoadAsync(StripeColumns columns, ulong chunks)
    {
        columns.Unreadable = 0;
        var calls = CallSet.Take();
        for (var rest = chunks; rest != 0; rest &= rest - 1) calls.Add(LoadChunkAsync(columns, BitOperations.TrailingZeroCount(rest)));
        await calls.WhenAllAsync().ConfigureAwait(false);
        return columns.Unreadable;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask LoadChunkAsync(StripeColumns columns, int number)
    {
        var member = members[columns.MemberOf(number)];
        try
        {
            if (member.IsUsableAt(columns.Stripe))
            {
                await member.ReadAsync(OffsetOf(columns.Stripe) + columns.OffsetBytes, columns.Chunk(number)).ConfigureAwait(false);
                return;
            }
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            // Said below.
        }

        columns.NoteUnreadable(number);
    }

    ValueTask WriteChunkAsync(StripeColumns columns, int number, ReadOnlyMemory<byte> source)
    {
        Invariant.Require(LockOf(columns.Stripe).IsHeld);
        return WriteMemberAsync(columns.MemberOf(number), columns.Stripe, columns.OffsetBytes, source);
    }

    // Whoever is not to be relied on for the stripe is not written to: it gets all when it is rebuilt.
    ValueTask WriteMemberAsync(int number, long stripe, int offsetBytes, ReadOnlyMemory<byte> source)
    {
        var member = members[number];
        return member.IsUsableAt(stripe)
            ? TakeAsync(member, member.WriteAsync(OffsetOf(stripe) + offsetBytes, source))
            : ValueTask.CompletedTask;
    }

    // The copy that reads on; else the one with the least to do; else each in its turn.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReadCopyAsync(ChunkRange range, Memory<byte> destination)
    {
        var unreadable = 0UL;
        var offset = OffsetOf(range.Stripe) + range.OffsetBytes;
        Exception? last = null;
        while (ChooseCopy(range, unreadable, offset) is { } member)
        {
            try
            {
                await member.ReadAsync(offset, destination).ConfigureAwait(false);
                if (unreadable != 0) await RepairCopiesAsync(range, unreadable).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (IsUnreadable(e))
            {
                last = e;
                unreadable |= 1UL << member.Number;
            }
        }

        throw Lost(last);
    }

    RaidMember? ChooseCopy(ChunkRange range, ulong except, long offset)
    {
        RaidMember? best = null;
        var first = (int)((uint)Interlocked.Increment(ref copyTurn) % (uint)layout.Copies);
        for (var i = 0; i < layout.Copies; i++)
        {
            var member = members[layout.MemberOfData(range.Stripe, range.Index, (first + i) % layout.Copies)];
            if (!member.IsUsableAt(range.Stripe) || (except >> member.Number & 1) != 0) continue;
            if (best is null || Rank(member) < Rank(best)) best = member;
        }

        return best;

        long Rank(RaidMember member) => (2L * member.ReadsUnderWay) - (member.LastReadEnd == offset ? 1 : 0);
    }

    // Read once more under the lock: between the read and now somebody may have written.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RepairCopiesAsync(ChunkRange range, ulong unreadable)
    {
        var offset = OffsetOf(range.Stripe) + range.OffsetBytes;
        var turn = LockOf(range.Stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            if (ChooseCopy(range, unreadable, offset) is not { } good) return;
            var content = new byte[range.LengthBytes];
            try
            {
                await good.ReadAsync(offset, content).ConfigureAwait(false);
            }
            catch (Exception e) when (IsUnreadable(e))
            {
                return; // The reader has what it asked for; the next one will try again.
            }

            var calls = CallSet.Take();
            for (; unreadable != 0; unreadable &= unreadable - 1)
                calls.Add(WriteMemberAsync(BitOperations.TrailingZeroCount(unreadable), range.Stripe, range.OffsetBytes, content));
            await calls.WhenAllAsync().ConfigureAwait(false);
        }
        finally
        {
            turn.Exit();
        }
    }

    static bool IsUnreadable(Exception e) => e is BlockDeviceException or CorruptDataException;
}
