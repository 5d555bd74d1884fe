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

    /// <summary>Cuts a request by chunks.</summary>
    public static IEnumerable<ChunkRange> Split(RaidLayout layout, int chunkBytes, long offsetBytes, long lengthBytes)
    {
        for (var done = 0L; done < lengthBytes;)
        {
            var (chunk, inChunk) = Math.DivRem(offsetBytes + done, chunkBytes);
            var (stripe, index) = layout.Locate(chunk);
            var count = (int)Math.Min(chunkBytes - inChunk, lengthBytes - done);
            yield return new ChunkRange(stripe, index, (int)inChunk, count, done);
            done += count;
        }
    }
}
