namespace Ashlar.Files;

/// <summary>
/// Steps of the collector, each one transaction that decides by what is there in that moment. A block goes from live by condemned to
/// deleting; whatever refers to it before that stops it.
/// </summary>
public interface ICollection
{
    /// <summary>
    /// Damaged rows that lists of uploads that have ended, and of blocks, have passed by since the store was opened, each time: one that
    /// cannot be read keeps nobody from looking after the others.
    /// </summary>
    long DamagedRows { get; }

    /// <summary>Blocks that lost a reference or a pin at least so long ago, the oldest first; some have others.</summary>
    /// <param name="idle">How long ago at least.</param>
    /// <param name="after">The last of the page before; null for the first page.</param>
    /// <param name="limit">Most blocks.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<CollectionCandidate>> ListIdleAsync(
        TimeSpan idle, CollectionCandidate? after, int limit, CancellationToken cancellationToken = default);

    /// <summary>
    /// Condemns a block that has no reference and no pin, and was not used for so long. One that has is forgotten by
    /// <see cref="ListIdleAsync"/>, until it loses them.
    /// </summary>
    /// <returns>Whether it is condemned now.</returns>
    Task<bool> CondemnAsync(CollectionCandidate block, TimeSpan idle, CancellationToken cancellationToken = default);

    /// <summary>Blocks that were condemned at least so long ago, the oldest first.</summary>
    /// <param name="condemned">How long ago at least.</param>
    /// <param name="after">The last of the page before; null for the first page.</param>
    /// <param name="limit">Most blocks.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<CollectionCandidate>> ListCondemnedAsync(
        TimeSpan condemned, CollectionCandidate? after, int limit, CancellationToken cancellationToken = default);

    /// <summary>Begins to delete a block that was condemned so long ago; one that has a reference or a pin is live again.</summary>
    /// <returns>Where its copies are to be removed; null if it stays.</returns>
    Task<BlockLocations?> BeginDeletionAsync(CollectionCandidate block, TimeSpan condemned, CancellationToken cancellationToken = default);

    /// <summary>Blocks whose copies are to be removed, in the order of customers and names.</summary>
    /// <param name="after">The last of the page before; null for the first page.</param>
    /// <param name="limit">Most blocks.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<BlockLocations>> ListDeletingAsync(
        CustomerBlock? after, int limit, CancellationToken cancellationToken = default);

    /// <summary>Records that nodes have no copy of a block any more; when none is left, the block is forgotten.</summary>
    /// <returns>Whether it is forgotten.</returns>
    Task<bool> FinishDeletionAsync(
        CustomerBlock block, IReadOnlyCollection<NodeId> removedFrom, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lets go of what waits for a node that will not come back: blocks that are being deleted there are forgotten, as if the node had
    /// removed them. Blocks that files refer to keep the node in their rows, until repair has made other copies.
    /// </summary>
    /// <returns>How many blocks waited for it.</returns>
    Task<int> ForgetNodeAsync(NodeId node, CancellationToken cancellationToken = default);

    /// <summary>
    /// Of blocks that a node has, those that nothing tells of: no row, and no pin. A generation is drawn once, and its block is pinned
    /// before a node hears of it, so nothing ever will. They become <see cref="BlockState.Deleting"/> there. So does a copy of a block
    /// that is being deleted, and that its row does not list: it came after its node was told to remove it.
    /// </summary>
    /// <param name="customer">Whose; also one that was deleted.</param>
    /// <param name="node">The node.</param>
    /// <param name="blocks">What it has, with their lengths, since longer than the longest lease.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <returns>How many.</returns>
    /// <exception cref="CustomerNotFoundException">There is no such customer, and there never was.</exception>
    Task<int> AdoptStrangersAsync(
        CustomerId customer, NodeId node, IReadOnlyList<FileBlock> blocks, CancellationToken cancellationToken = default);
}

/// <summary>A block that the collector may be about to take a step with.</summary>
/// <param name="Block">Which.</param>
/// <param name="Since">Since when it is listed.</param>
public readonly record struct CollectionCandidate(CustomerBlock Block, DateTimeOffset Since);
