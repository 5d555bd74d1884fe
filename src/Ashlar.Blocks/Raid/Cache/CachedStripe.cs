using System.Buffers;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// What was written to a stripe and is not in its place yet. Whoever uses it holds the stripe's lock.
/// </summary>
/// <remarks>
/// A block is dirty until a batch of the journal has taken it, and committing until it is in its place; written again meanwhile, it is
/// both. What is read is always what was written last.
/// </remarks>
sealed class CachedStripe(RaidLayout layout, int chunkBytes, long stripe)
{
    readonly byte[]?[] chunks = new byte[layout.DataPerStripe][];
    readonly BlockSet[] dirty = new BlockSet[layout.DataPerStripe];
    readonly BlockSet[] committing = new BlockSet[layout.DataPerStripe];

    public long Stripe => stripe;

    public int DirtyBytes { get; private set; }

    public bool IsCommitting { get; private set; }

    /// <summary>Puts new content into it.</summary>
    public void Put(int index, int offsetBytes, ReadOnlySpan<byte> source)
    {
        var chunk = chunks[index] ??= ArrayPool<byte>.Shared.Rent(chunkBytes);
        source.CopyTo(chunk.AsSpan(offsetBytes));
        var (first, count) = (offsetBytes / StripeRecord.UnitBytes, source.Length / StripeRecord.UnitBytes);
        DirtyBytes += dirty[index].Add(first, count, chunkBytes / StripeRecord.UnitBytes) * StripeRecord.UnitBytes;
    }

    /// <summary>Puts what it holds over what was read from its place.</summary>
    public void Overlay(int index, int offsetBytes, Span<byte> destination)
    {
        if (chunks[index] is not { } chunk) return;
        var first = offsetBytes / StripeRecord.UnitBytes;
        for (var i = 0; i < destination.Length / StripeRecord.UnitBytes; i++)
        {
            if (!dirty[index].Contains(first + i) && !committing[index].Contains(first + i)) continue;
            var at = i * StripeRecord.UnitBytes;
            chunk.AsSpan(offsetBytes + at, StripeRecord.UnitBytes).CopyTo(destination[at..]);
        }
    }

    /// <summary>Whether all of a range is in it.</summary>
    public bool Covers(int index, int offsetBytes, int lengthBytes)
    {
        for (var at = offsetBytes; at < offsetBytes + lengthBytes; at += StripeRecord.UnitBytes)
        {
            var unit = at / StripeRecord.UnitBytes;
            if (!dirty[index].Contains(unit) && !committing[index].Contains(unit)) return false;
        }

        return true;
    }

    /// <summary>The dirty parts, whose memory is this stripe's.</summary>
    public List<StripeRun> DirtyRuns()
    {
        List<StripeRun> runs = [];
        for (var index = 0; index < chunks.Length; index++)
        {
            for (var unit = 0; unit < chunkBytes / StripeRecord.UnitBytes; unit++)
            {
                if (!dirty[index].Contains(unit)) continue;
                var first = unit;
                while (unit < chunkBytes / StripeRecord.UnitBytes && dirty[index].Contains(unit)) unit++;
                var at = first * StripeRecord.UnitBytes;
                runs.Add(new StripeRun(index, at, chunks[index].AsMemory(at, (unit - first) * StripeRecord.UnitBytes)));
            }
        }

        return runs;
    }

    /// <summary>A batch has taken what is dirty.</summary>
    public void Commit()
    {
        Invariant.Require(!IsCommitting);
        for (var index = 0; index < chunks.Length; index++) (committing[index], dirty[index]) = (dirty[index], default);
        (DirtyBytes, IsCommitting) = (0, true);
    }

    /// <summary>What the batch took is in its place.</summary>
    public void EndCommit()
    {
        Invariant.Require(IsCommitting);
        Array.Clear(committing);
        IsCommitting = false;
    }

    /// <summary>Gives its memory back. Nobody finds it any more.</summary>
    public void Release()
    {
        Invariant.Require(!IsCommitting && DirtyBytes == 0);
        foreach (var chunk in chunks)
            if (chunk is not null) ArrayPool<byte>.Shared.Return(chunk);
        Array.Clear(chunks);
    }

    // Units of a chunk.
    struct BlockSet
    {
        ulong[]? words;

        public readonly bool Contains(int unit) => words is not null && (words[unit / 64] >> (unit % 64) & 1) != 0;

        /// <summary>Adds some; gives how many were not there.</summary>
        public int Add(int first, int count, int unitsOfChunk)
        {
            words ??= new ulong[(unitsOfChunk + 63) / 64];
            var added = 0;
            for (var unit = first; unit < first + count; unit++)
            {
                if (Contains(unit)) continue;
                words[unit / 64] |= 1UL << (unit % 64);
                added++;
            }

            return added;
        }
    }
}
