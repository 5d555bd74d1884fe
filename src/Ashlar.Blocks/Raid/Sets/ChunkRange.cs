namespace Ashlar.Blocks.Raid;

/// <summary>The part of a request that lies in one chunk of data.</summary>
/// <param name="Stripe">The stripe.</param>
/// <param name="Index">Which of its data.</param>
/// <param name="OffsetBytes">Where it begins in the chunk.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="At">Where it begins in the request.</param>
readonly record struct ChunkRange(long Stripe, int Index, int OffsetBytes, int LengthBytes, long At)
{
    public int EndBytes => OffsetBytes + LengthBytes;
}

/// <summary>A request, cut by chunks.</summary>
readonly record struct ChunkRanges(RaidLayout Layout, int ChunkBytes, long OffsetBytes, long LengthBytes)
{
    public Enumerator GetEnumerator() => new(this);

    /// <summary>The only one, where the request lies in one chunk.</summary>
    public bool TryGetSingle(out ChunkRange range)
    {
        var all = GetEnumerator();
        var isThere = all.MoveNext();
        range = all.Current;
        return isThere && range.LengthBytes == LengthBytes;
    }

    public struct Enumerator(ChunkRanges ranges)
    {
        long done;

        public ChunkRange Current { get; private set; }

        public bool MoveNext()
        {
            if (done >= ranges.LengthBytes) return false;
            var (chunk, inChunk) = Math.DivRem(ranges.OffsetBytes + done, ranges.ChunkBytes);
            var (stripe, index) = ranges.Layout.Locate(chunk);
            var count = (int)Math.Min(ranges.ChunkBytes - inChunk, ranges.LengthBytes - done);
            Current = new ChunkRange(stripe, index, (int)inChunk, count, done);
            done += count;
            return true;
        }
    }
}
