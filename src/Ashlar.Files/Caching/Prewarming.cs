namespace Ashlar.Files;

/// <summary>Fills caches before anybody asks.</summary>
public static class Prewarming
{
    /// <summary>Asks for all pieces of blocks once, a few at a time. What cannot be read is left out: a reader will be told.</summary>
    /// <param name="pieces">The caches, in front of the nodes.</param>
    /// <param name="customer">Whose blocks.</param>
    /// <param name="blocks">Which.</param>
    /// <param name="depth">Pieces at a time.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Bytes that were fetched, and blocks of which something could not be read.</returns>
    public static async Task<(long Bytes, int UnreadableBlocks)> RunAsync(
        IPieceSource pieces, CustomerId customer, IReadOnlyList<FileBlock> blocks, int depth = 4,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        var (bytes, unreadable) = (0L, 0);
        foreach (var block in blocks)
        {
            var isReadable = true;
            await Parallel.ForAsync(
                0,
                BlockPiece.CountOf(block),
                new ParallelOptions { MaxDegreeOfParallelism = depth, CancellationToken = cancellationToken },
                async (index, cancellation) =>
                {
                    if (!Volatile.Read(ref isReadable)) return;
                    try
                    {
                        var piece = await pieces.FetchAsync(new BlockPiece(customer, block, index), cancellation);
                        Interlocked.Add(ref bytes, piece.LengthBytes);
                        piece.Release();
                    }
                    catch (BlockUnreadableException)
                    {
                        Volatile.Write(ref isReadable, false);
                    }
                });
            if (!isReadable) unreadable++;
        }

        return (bytes, unreadable);
    }
}
