namespace Ashlar.Files;

/// <summary>Reads ranges of files: several pieces are fetched ahead of the reader, at the same time and from several nodes.</summary>
/// <param name="pieces">Where they come from.</param>
/// <param name="options">How far ahead.</param>
public sealed class BlocksReader(IPieceSource pieces, ChunkOptions? options = null)
{
    readonly int ahead = Math.Max(1, (options ?? new()).ReadAhead);

    /// <summary>Writes a range of what blocks make up one after another.</summary>
    /// <param name="customer">Whose blocks.</param>
    /// <param name="blocks">The blocks, in order.</param>
    /// <param name="offsetBytes">Where the range begins, counted from the beginning of the first block.</param>
    /// <param name="lengthBytes">Its length; what lies beyond the last block is left out.</param>
    /// <param name="destination">Gets it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="BlockUnreadableException">No copy of a block can be read. What came before it was written.</exception>
    public async Task CopyToAsync(
        CustomerId customer, IReadOnlyList<FileBlock> blocks, long offsetBytes, long lengthBytes, Stream destination,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        using var given = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var fetches = new Queue<(Task<SharedBuffer> Piece, int Start, int Length)>();
        try
        {
            foreach (var (piece, start, length) in Parts(customer, blocks, offsetBytes, lengthBytes))
            {
                if (fetches.Count == ahead) await WriteAsync(fetches.Dequeue(), destination, cancellationToken);
                fetches.Enqueue((pieces.FetchAsync(piece, given.Token), start, length));
            }

            while (fetches.Count > 0) await WriteAsync(fetches.Dequeue(), destination, cancellationToken);
        }
        finally
        {
            await given.CancelAsync();
            foreach (var (piece, _, _) in fetches) await ReleaseAsync(piece);
        }
    }

    static async Task WriteAsync(
        (Task<SharedBuffer> Piece, int Start, int Length) part, Stream destination, CancellationToken cancellationToken)
    {
        var buffer = await part.Piece;
        try
        {
            await destination.WriteAsync(buffer.Content.Slice(part.Start, part.Length), cancellationToken);
        }
        finally
        {
            buffer.Release();
        }
    }

    static IEnumerable<(BlockPiece Piece, int Start, int Length)> Parts(
        CustomerId customer, IReadOnlyList<FileBlock> blocks, long offset, long length)
    {
        var end = offset > long.MaxValue - length ? long.MaxValue : offset + length;
        var blockStart = 0L;
        foreach (var block in blocks)
        {
            if (blockStart >= end) yield break;
            var first = (int)(Math.Max(0, Math.Min(offset - blockStart, block.LengthBytes)) / BufferPool.DefaultBufferBytes);
            for (var index = blockStart + block.LengthBytes <= offset ? int.MaxValue : first; index < BlockPiece.CountOf(block); index++)
            {
                var piece = new BlockPiece(customer, block, index);
                var pieceStart = blockStart + piece.OffsetBytes;
                if (pieceStart >= end) yield break;
                var from = (int)Math.Max(0, offset - pieceStart);
                var to = (int)Math.Min(piece.LengthBytes, end - pieceStart);
                if (to > from) yield return (piece, from, to - from);
            }

            blockStart += block.LengthBytes;
        }
    }

    static async Task ReleaseAsync(Task<SharedBuffer> piece)
    {
        await ((Task)piece).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (piece.IsCompletedSuccessfully) (await piece).Release();
    }
}
