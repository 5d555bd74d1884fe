namespace Ashlar.Files;

/// <summary>A piece of a block: what is fetched, cached and verified at once.</summary>
/// <param name="Customer">Whose block.</param>
/// <param name="Block">The block, and its length.</param>
/// <param name="Index">Which piece, from 0; each but the last has <see cref="BufferPool.DefaultBufferBytes"/>.</param>
public readonly record struct BlockPiece(CustomerId Customer, FileBlock Block, int Index)
{
    /// <summary>The block, without its length.</summary>
    public CustomerBlock Id => new(Customer, Block.Name);

    /// <summary>Where it begins in the block.</summary>
    public int OffsetBytes => Index * BufferPool.DefaultBufferBytes;

    /// <summary>Its length.</summary>
    public int LengthBytes => Math.Min(BufferPool.DefaultBufferBytes, Block.LengthBytes - OffsetBytes);

    /// <summary>Pieces of a block.</summary>
    public static int CountOf(FileBlock block) =>
        (block.LengthBytes + BufferPool.DefaultBufferBytes - 1) / BufferPool.DefaultBufferBytes;
}

/// <summary>Where pieces of blocks come from: nodes, or a cache in front of another source.</summary>
public interface IPieceSource
{
    /// <summary>Fetches a piece, verified. The caller has a share of the buffer and lets it go.</summary>
    /// <exception cref="BlockUnreadableException">No copy can be read.</exception>
    Task<SharedBuffer> FetchAsync(BlockPiece piece, CancellationToken cancellationToken = default);
}

/// <summary>What is wrong with a copy that a node should have.</summary>
public enum CopyProblem
{
    /// <summary>The node does not have it.</summary>
    Missing = 0,

    /// <summary>It is not what was written.</summary>
    Damaged,
}

/// <summary>Hears of copies that have to be made anew.</summary>
public interface ICopyReports
{
    /// <summary>A node said that it does not have a copy, or has a damaged one. Must not block.</summary>
    void Report(CustomerId customer, BlockName block, NodeId node, CopyProblem problem);
}
