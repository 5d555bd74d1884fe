namespace Ashlar.Files;

/// <summary>Reads ranges of files: several pieces are fetched ahead of the reader, at the same time and from several nodes.</summary>
/// <param name="pieces">Where they come from.</param>
/// <param name="buffers">Memory: what is fetched ahead is bounded over all readers.</param>
/// <param name="options">How far ahead.</param>
public sealed class BlocksReader(IPieceSource pieces, BufferPool buffers, ChunkOptions? options = null)
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
        var fetches = new Queue<Fetch>();
        var (hasOwn, isAhead) = (false, false);
        try
        {
            foreach (var (piece, start, length) in Parts(customer, blocks, offsetBytes, lengthBytes))
            {
                // Invariant: a reader waits for its own pieces only, never for what others hold: one piece it may always have.
                while (!TryTake()) await WriteAsync(fetches.Dequeue());
                fetches.Enqueue(new Fetch(pieces.FetchAsync(piece, given.Token), start, length, isAhead));
            }

            while (fetches.Count > 0) await WriteAsync(fetches.Dequeue());
        }
        finally
        {
            await given.CancelAsync();
            foreach (var fetch in fetches) await ReleaseAsync(fetch);
        }

        bool TryTake()
        {
            isAhead = hasOwn;
            if (!hasOwn) return hasOwn = true;
            return fetches.Count < ahead && buffers.Downloads.TryTake();
        }

        async Task WriteAsync(Fetch fetch)
        {
            SharedBuffer? buffer = null;
            try
            {
                buffer = await fetch.Piece;
                await destination.WriteAsync(buffer.Content.Slice(fetch.Start, fetch.Length), cancellationToken);
            }
            finally
            {
                buffer?.Release();
                Return(fetch);
            }
        }

        void Return(Fetch fetch)
        {
            if (fetch.IsAhead) buffers.Downloads.Return();
            else hasOwn = false;
        }

        async Task ReleaseAsync(Fetch fetch)
        {
            await ((Task)fetch.Piece).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (fetch.Piece.IsCompletedSuccessfully) (await fetch.Piece).Release();
            Return(fetch);
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

    readonly record struct Fetch(Task<SharedBuffer> Piece, int Start, int Length, bool IsAhead);
}
