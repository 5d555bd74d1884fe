namespace Ashlar.Files;

/// <summary>Where blocks are. What moves copies records here first that a copy is there, and last that one is not.</summary>
/// <remarks>
/// A copy may be removed from a node in two cases alone: the block is <see cref="BlockState.Deleting"/> in the same generation, or the
/// catalogue lists as many other copies as are wanted, each verified, and no longer this node, and no upload has pinned the block.
/// </remarks>
public interface IBlockCatalogue
{
    /// <summary>Where blocks are, in the order in which they were asked for; null for one that has no row.</summary>
    Task<IReadOnlyList<BlockLocations?>> GetLocationsAsync(
        CustomerId customer, IReadOnlyList<BlockName> blocks, CancellationToken cancellationToken = default);

    /// <summary>Replaces the nodes of a block, if nobody has changed the row since it was read.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="block">Which.</param>
    /// <param name="expectedVersion">That of the row that was read.</param>
    /// <param name="nodes">The nodes that hold a copy.</param>
    /// <param name="wantedCopies">Copies that it should have from now on; where it should have more already it goes on to.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <returns>The row as it is now; null if it was changed or is gone: read it again and decide anew.</returns>
    /// <exception cref="ArgumentException">No node is left: the last copy is not given up like this.</exception>
    Task<BlockLocations?> ReplaceNodesAsync(
        CustomerId customer, BlockName block, ulong expectedVersion, IReadOnlyCollection<NodeId> nodes, int wantedCopies = 0,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Wants more copies of blocks that should have had fewer when they were written, some at a time, and lists those that lack them.
    /// </summary>
    /// <param name="after">What the last call returned; null to begin.</param>
    /// <param name="wantedCopies">Copies that each should have.</param>
    /// <param name="limit">Most blocks that are looked at.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <returns>The last that was looked at; null at the end.</returns>
    Task<CustomerBlock?> RaiseWantedCopiesAsync(
        CustomerBlock? after, int wantedCopies, int limit, CancellationToken cancellationToken = default);

    /// <summary>Blocks with fewer copies than are wanted, those with the fewest first.</summary>
    /// <param name="after">The last of the page before; null for the first page.</param>
    /// <param name="limit">Most blocks.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<BlockLocations>> ListUnderReplicatedAsync(
        BlockLocations? after, int limit, CancellationToken cancellationToken = default);

    /// <summary>Blocks that a node should hold, those that are being deleted too, in the order of customers and names.</summary>
    /// <param name="node">The node.</param>
    /// <param name="after">The last of the page before; null for the first page.</param>
    /// <param name="limit">Most blocks.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<CustomerBlock>> ListBlocksOfNodeAsync(
        NodeId node, CustomerBlock? after, int limit, CancellationToken cancellationToken = default);

    /// <summary>
    /// Whether an upload that has not ended has pinned a block: it may have made copies, and be about to record them. One that pins it
    /// after this has been answered makes its copies after it, too.
    /// </summary>
    Task<bool> IsPinnedAsync(CustomerId customer, BlockName block, CancellationToken cancellationToken = default);

    /// <summary>How many files refer to a block: counted, not kept, so that it cannot drift.</summary>
    Task<long> CountReferencesAsync(CustomerId customer, BlockName block, CancellationToken cancellationToken = default);
}
