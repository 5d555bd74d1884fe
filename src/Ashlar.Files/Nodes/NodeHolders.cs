namespace Ashlar.Files;

/// <summary>Storage nodes as the collector, the sweep and the verifier see them.</summary>
/// <param name="nodes">The nodes.</param>
/// <param name="clock">How long ago a node's block was installed goes by it: the nodes' clocks are to agree with it roughly.</param>
public sealed class NodeHolders(StorageNodes nodes, TimeProvider? clock = null) : IBlockHolders
{
    readonly TimeProvider clock = clock ?? TimeProvider.System;

    /// <inheritdoc />
    public IReadOnlyCollection<NodeId> Nodes => [.. nodes.Ids];

    /// <inheritdoc />
    public async Task<bool> RemoveAsync(NodeId node, CustomerBlock block, CancellationToken cancellationToken = default)
    {
        try
        {
            if (nodes.Find(node) is not { } found) return false;
            await found.RemoveAsync(block, null, cancellationToken);
            return true;
        }
        catch (StorageNodeException)
        {
            return false;
        }
    }

    /// <inheritdoc />
    public async Task<CopyState> VerifyAsync(NodeId node, CustomerBlock block, CancellationToken cancellationToken = default)
    {
        try
        {
            if (nodes.Find(node) is not { } found) return CopyState.Away;
            await found.VerifyAsync(block, cancellationToken);
            return CopyState.Verified;
        }
        catch (StorageNodeException e)
        {
            return e.Kind switch
            {
                NodeErrorKind.NotFound => CopyState.Missing,
                NodeErrorKind.Damaged => CopyState.Damaged,
                _ => CopyState.Away,
            };
        }
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<HeldBlock>?> ListAsync(
        NodeId node, CustomerBlock? after, int limit, CancellationToken cancellationToken = default)
    {
        try
        {
            if (nodes.Find(node) is not { } found) return null;
            var held = new List<HeldBlock>();

            // A page is empty only at the end: files that do not say whose they are are passed by.
            while (held.Count == 0 && await found.ListAsync(after, limit, cancellationToken) is { Count: > 0 } page)
            {
                var now = clock.GetUtcNow();
                held.AddRange(
                    from block in page.Select(entry => entry.Block).OfType<StoredBlock>()
                    let age = now - block.InstalledAt
                    select new HeldBlock(
                        block.Id.Customer,
                        new FileBlock(block.Id.Name, block.Digest.LengthBytes),
                        age > TimeSpan.Zero ? age : TimeSpan.Zero));
                after = page[^1].Id;
            }

            return held;
        }
        catch (StorageNodeException)
        {
            return null;
        }
    }

    /// <inheritdoc />
    public async Task<int> PurgeAsync(NodeId node, int limit, CancellationToken cancellationToken = default)
    {
        try
        {
            return nodes.Find(node) is { } found ? await found.PurgeAsync(limit, cancellationToken) : 0;
        }
        catch (StorageNodeException)
        {
            return 0;
        }
    }
}
