namespace Ashlar.Interop.Tests.Crashes;

/// <summary>The blocks one writer owns. Ledger blocks are numbered without gaps; on the volume the ranges lie apart, so that
/// they meet in some allocation units of the pool and not in others.</summary>
readonly record struct BlockRange(int First, int Count, long VolumeOffsetBytes)
{
    public long OffsetOf(int block) => VolumeOffsetBytes + (long)(block - First) * BlockStamp.SizeBytes;

    /// <summary>Splits the volume among writers. Neighbours in pairs touch each other inside one 64 KiB unit.</summary>
    public static BlockRange[] Split(int writers, int blocksEach, long volumeSizeBytes)
    {
        var ranges = new BlockRange[writers];
        var pairSpacingBytes = volumeSizeBytes / ((writers + 1) / 2) / BlockStamp.SizeBytes * BlockStamp.SizeBytes;
        for (var writer = 0; writer < writers; writer++)
        {
            var pairOffsetBytes = writer / 2 * pairSpacingBytes;
            ranges[writer] = new(writer * blocksEach, blocksEach,
                pairOffsetBytes + writer % 2 * (long)blocksEach * BlockStamp.SizeBytes);
        }
        return ranges;
    }
}
