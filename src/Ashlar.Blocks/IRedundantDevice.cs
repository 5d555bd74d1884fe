namespace Ashlar.Blocks;

/// <summary>
/// A device that has what it holds in more than one way: copies, or what can be calculated from parity. Who knows a checksum finds out
/// which of them is right; the device itself cannot tell, as long as all of them can be read.
/// </summary>
public interface IRedundantDevice : IBlockDevice
{
    /// <summary>
    /// In how many ways a block can be had: copies 0 to <c>CopyCount - 1</c>. Copy 0 is as good as any. 1 where there is no redundancy.
    /// </summary>
    int CopyCount { get; }

    /// <summary>Reads blocks in one of the ways, and in no other.</summary>
    /// <param name="start">First block.</param>
    /// <param name="destination">A multiple of the block size; undefined unless the call gives true.</param>
    /// <param name="copy">Which way.</param>
    /// <param name="cancellationToken">Gives up waiting; the destination is then undefined.</param>
    /// <returns>False where these blocks cannot be had in this way: a device is missing, or cannot read them.</returns>
    ValueTask<bool> ReadCopyAsync(Lba start, Memory<byte> destination, int copy, CancellationToken cancellationToken = default);

    /// <summary>
    /// Puts content that was found to be right in the place of what is stored of these blocks, which is wrong: all copies, or the stored
    /// block, whose parity stays as it is, for that is right for the content. Durable after the next flush.
    /// </summary>
    /// <param name="start">First block.</param>
    /// <param name="source">What the blocks hold, as far as anybody above knows. Who calls keeps writers of these blocks away.</param>
    /// <param name="cancellationToken">Gives up waiting; each block is then as it was, or mended.</param>
    ValueTask RewriteAsync(Lba start, ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default);
}
