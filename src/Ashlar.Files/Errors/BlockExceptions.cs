using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>A block cannot be stored, or not on as many nodes as it must be.</summary>
public sealed class NotEnoughNodesException : FileStoreException, IClassifiedFailure
{
    /// <summary>Creates the error.</summary>
    /// <param name="needed">Copies that have to be durable, and failure domains that they have to be in.</param>
    /// <param name="possible">Copies that there are, or could have been, and their domains.</param>
    /// <param name="failures">What each node said that has none.</param>
    /// <param name="holders">Nodes that may hold a copy, which nothing refers to.</param>
    public NotEnoughNodesException(
        (int Copies, int Domains) needed, (int Copies, int Domains) possible, IReadOnlyList<Exception> failures,
        IReadOnlyCollection<NodeId>? holders = null)
        : base(
            (possible.Copies < needed.Copies || possible.Domains >= needed.Domains
                ? $"A block needs {needed.Copies} durable copies on distinct nodes, and {possible.Copies} can be had"
                : $"A block needs copies in {needed.Domains} failure domains, and nodes of {possible.Domains} take it")
            + (failures.Count == 0 ? "" : ": " + string.Join("; ", failures.Select(failure => failure.Message))),
            failures.Count == 0 ? null : failures[0]) =>
        (Needed, Possible, NeededDomains, PossibleDomains, Failures, Holders) =
            (needed.Copies, possible.Copies, needed.Domains, possible.Domains, failures, holders ?? []);

    /// <summary>Copies that have to be durable.</summary>
    public int Needed { get; }

    /// <summary>Copies that there are, or could have been.</summary>
    public int Possible { get; }

    /// <summary>Failure domains that they have to be in.</summary>
    public int NeededDomains { get; }

    /// <summary>Failure domains of those that there are, or could have been.</summary>
    public int PossibleDomains { get; }

    /// <summary>What each node said that has none.</summary>
    public IReadOnlyList<Exception> Failures { get; }

    /// <summary>Nodes that may hold a copy, which nothing refers to.</summary>
    public IReadOnlyCollection<NodeId> Holders { get; }

    /// <inheritdoc />
    public FailureClass FailureClass =>
        Failures.Count > 0 && Failures.All(failure => failure is StorageNodeException { Kind: NodeErrorKind.Full })
            ? FailureClass.NoSpace
            : FailureClass.Failed;
}

/// <summary>No copy of a block can be read now. It may be there all the same: nodes that do not answer may have it.</summary>
public sealed class BlockUnreadableException : FileStoreException, IClassifiedFailure
{
    /// <summary>Creates the error.</summary>
    /// <param name="block">The block.</param>
    /// <param name="failures">What each node said that should have a copy.</param>
    public BlockUnreadableException(BlockName block, IReadOnlyList<Exception> failures)
        : base(
            failures.Count == 0
                ? $"No node is known to have the block {block}"
                : $"No copy of the block {block} can be read: {string.Join("; ", failures.Select(failure => failure.Message))}",
            failures.Count == 0 ? null : failures[0]) => (Block, Failures) = (block, failures);

    /// <summary>The block.</summary>
    public BlockName Block { get; }

    /// <summary>What each node said that should have a copy.</summary>
    public IReadOnlyList<Exception> Failures { get; }

    /// <inheritdoc />
    public FailureClass FailureClass =>
        Failures.Count > 0 && Failures.All(failure => failure is StorageNodeException { IsVerdict: true })
            ? FailureClass.Damaged
            : FailureClass.Failed;
}
