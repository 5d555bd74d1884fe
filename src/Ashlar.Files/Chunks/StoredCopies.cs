namespace Ashlar.Files;

/// <summary>A block of which enough copies are durable. Others may follow.</summary>
/// <remarks>
/// A commit records <see cref="Acknowledged"/>, and the block as short of copies where those are fewer than
/// <see cref="WantedCopies"/>. What becomes durable after it is recorded when <see cref="Completed"/> ends, or found by repair.
/// </remarks>
public sealed class StoredCopies
{
    readonly Lock gate = new();
    readonly List<NodeId> durable = [];
    readonly List<Exception> failures = [];
    readonly TaskCompletionSource completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    BlockDigest? digest;
    int acknowledged;

    internal StoredCopies(CustomerBlock block, BlockDigest digest, int wantedCopies) =>
        (Block, this.digest, LengthBytes, WantedCopies) = (block, digest, digest.LengthBytes, wantedCopies);

    /// <summary>The block.</summary>
    public CustomerBlock Block { get; }

    /// <summary>Its name.</summary>
    public BlockName Name => Block.Name;

    /// <summary>Its length.</summary>
    public int LengthBytes { get; }

    /// <summary>What copies are compared with, as long as some are made.</summary>
    internal BlockDigest Digest => digest ?? throw new InvalidOperationException("All copies of the block have been made.");

    /// <summary>Copies that it should have.</summary>
    public int WantedCopies { get; }

    /// <summary>Nodes that have a durable copy now.</summary>
    public IReadOnlyList<NodeId> Durable
    {
        get
        {
            lock (gate) return [.. durable];
        }
    }

    /// <summary>Nodes that had one when the block was acknowledged: always the same.</summary>
    public IReadOnlyList<NodeId> Acknowledged
    {
        get
        {
            lock (gate) return durable[..acknowledged];
        }
    }

    /// <summary>Nodes that got one after that.</summary>
    internal IReadOnlyList<NodeId> Late
    {
        get
        {
            lock (gate) return durable[acknowledged..];
        }
    }

    /// <summary>What kept other nodes from having one.</summary>
    public IReadOnlyList<Exception> Failures
    {
        get
        {
            lock (gate) return [.. failures];
        }
    }

    /// <summary>Ends, always well, when nothing more is done for the block: it has all copies, or no node takes one.</summary>
    public Task Completed => completed.Task;

    internal void Add(NodeId node)
    {
        lock (gate) durable.Add(node);
    }

    internal void Add(Exception failure)
    {
        lock (gate) failures.Add(failure);
    }

    internal void Acknowledge()
    {
        lock (gate) acknowledged = durable.Count;
    }

    internal void Complete()
    {
        digest = null; // Of a large block it is large, and this may be kept for long.
        completed.TrySetResult();
    }
}
