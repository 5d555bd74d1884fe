using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <remarks>
/// The ways in which parity gives a block: as it is stored; from P; from Q; and for each other block of the stripe, from P and Q without
/// that.
/// </remarks>
sealed partial class RaidSet
{
    const int Stored = 0, ByP = 1, ByQ = 2, WithoutAnother = 3;

    public int CopyCount => layout.ParityPerStripe switch
    {
        0 => layout.Copies,
        1 => ByP + 1,
        _ => WithoutAnother + layout.DataPerStripe - 1,
    };

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> ReadCopyAsync(
        Lba start, Memory<byte> destination, int copy, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)copy, (uint)CopyCount, nameof(copy));
        Geometry.CheckBuffer(Name, start, destination.Length);
        var ranges = new ChunkRanges(layout, chunkBytes, start.ToOffsetBytes(Geometry.BlockSizeBytes), destination.Length);
        foreach (var range in ranges)
        {
            var part = destination.Slice((int)range.At, range.LengthBytes);
            if (!await TryReadCopyAsync(range, part, copy).ConfigureAwait(false)) return false;
        }

        return true;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RewriteAsync(Lba start, ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Geometry.CheckBuffer(Name, start, source.Length);
        CheckWritable();
        var ranges = new ChunkRanges(layout, chunkBytes, start.ToOffsetBytes(Geometry.BlockSizeBytes), source.Length);
        foreach (var range in ranges)
        {
            var content = source.Slice((int)range.At, range.LengthBytes);
            if (layout.ParityPerStripe == 0)
                await WriteStripeAsync(range.Stripe, ((long)range.Index * chunkBytes) + range.OffsetBytes, content).ConfigureAwait(false);
            else await RewriteStoredAsync(range, content).ConfigureAwait(false);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryReadCopyAsync(ChunkRange range, Memory<byte> destination, int copy)
    {
        var turn = LockOf(range.Stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            var cached = cache?.Find(range.Stripe);
            if (cached?.Covers(range.Index, range.OffsetBytes, range.LengthBytes) != true)
            {
                var isThere = layout.ParityPerStripe == 0 || copy == Stored
                    ? await TryReadMemberAsync(range, destination, layout.ParityPerStripe == 0 ? copy : 0).ConfigureAwait(false)
                    : await TryReconstructAsync(range, destination, copy).ConfigureAwait(false);
                if (!isThere) return false;
            }

            cached?.Overlay(range.Index, range.OffsetBytes, destination.Span);
            return true;
        }
        finally
        {
            turn.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryReadMemberAsync(ChunkRange range, Memory<byte> destination, int copy)
    {
        var member = members[layout.MemberOfData(range.Stripe, range.Index, copy)];
        if (!member.IsUsableAt(range.Stripe)) return false;
        try
        {
            await member.ReadAsync(OffsetOf(range.Stripe) + range.OffsetBytes, destination).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return false;
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryReconstructAsync(ChunkRange range, Memory<byte> destination, int copy)
    {
        using var columns = StripeColumns.Take(layout, range.Stripe, range.OffsetBytes, range.LengthBytes);
        var other = copy - WithoutAnother;
        var without = 1UL << range.Index | copy switch
        {
            ByP => columns.BitOfQ,
            ByQ => columns.BitOfP,
            _ => 1UL << (other < range.Index ? other : other + 1),
        };
        var all = columns.AllData | columns.BitOfP | columns.BitOfQ;
        if (await LoadAsync(columns, all & ~without).ConfigureAwait(false) != 0) return false;
        Invariant.Require(columns.TryRecover(without));
        columns.Chunk(range.Index).CopyTo(destination);
        return true;
    }

    // The stored block alone: parity was calculated from what it should be, or the block would not have been found by it; and the
    // difference to what is stored means nothing. What is in the cache is not stored yet.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RewriteStoredAsync(ChunkRange range, ReadOnlyMemory<byte> content)
    {
        while (true)
        {
            if (cache?.Find(range.Stripe) is not null) await CommitAsync().ConfigureAwait(false);
            var turn = LockOf(range.Stripe);
            await turn.EnterAsync().ConfigureAwait(false);
            try
            {
                if (cache?.Find(range.Stripe) is not null) continue;
                await WriteMemberAsync(layout.MemberOfData(range.Stripe, range.Index), range.Stripe, range.OffsetBytes, content)
                    .ConfigureAwait(false);
                return;
            }
            finally
            {
                turn.Exit();
            }
        }
    }
}
