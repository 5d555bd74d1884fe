namespace Ashlar.Files;

/// <summary>What a look at a copy of a block came to.</summary>
public enum CopyState
{
    /// <summary>All of it was read, and is what its name says.</summary>
    Verified = 0,

    /// <summary>It is something else.</summary>
    Damaged,

    /// <summary>The node has none.</summary>
    Missing,

    /// <summary>The node does not answer, so nobody knows.</summary>
    Away,
}

/// <summary>A block that a node has.</summary>
/// <param name="Customer">Whose, by what the node knows.</param>
/// <param name="Block">Which, and how long it is.</param>
/// <param name="HeldFor">Since when the node has it, by its own clock.</param>
public readonly record struct HeldBlock(CustomerId Customer, FileBlock Block, TimeSpan HeldFor)
{
    /// <summary>Its name, with the customer.</summary>
    public CustomerBlock Id => new(Customer, Block.Name);
}

/// <summary>Nodes as the collector, the sweep and the verifier see them.</summary>
public interface IBlockHolders
{
    /// <summary>Every node that blocks may have been written to, those that are away too.</summary>
    IReadOnlyCollection<NodeId> Nodes { get; }

    /// <summary>Takes a copy away from a node, into its trash.</summary>
    /// <returns>Whether the node has none any more, durably; false if it is away.</returns>
    Task<bool> RemoveAsync(NodeId node, CustomerBlock block, CancellationToken cancellationToken = default);

    /// <summary>Reads all of a copy and compares it with its name.</summary>
    Task<CopyState> VerifyAsync(NodeId node, CustomerBlock block, CancellationToken cancellationToken = default);

    /// <summary>A page of what a node has, in the order of <see cref="CustomerBlock"/>; null if the node is away.</summary>
    Task<IReadOnlyList<HeldBlock>?> ListAsync(
        NodeId node, CustomerBlock? after, int limit, CancellationToken cancellationToken = default);

    /// <summary>Deletes for good what lay long enough in the trash of a node.</summary>
    /// <returns>How many copies, at most as many as the limit; none if the node is away.</returns>
    Task<int> PurgeAsync(NodeId node, int limit, CancellationToken cancellationToken = default);
}
