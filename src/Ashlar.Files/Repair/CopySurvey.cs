namespace Ashlar.Files;

/// <summary>What the nodes have of a block, by their own word.</summary>
sealed class CopySurvey(StorageNodes nodes, BlockLocations row)
{
    /// <summary>Nodes that have read all of it from the medium, and it is right.</summary>
    public List<NodeId> Good { get; } = [];

    /// <summary>The same of nodes that do not belong to the store: they are copied from, and count for nothing.</summary>
    public List<NodeId> Outside { get; } = [];

    /// <summary>Nodes that have something else under its name.</summary>
    public List<NodeId> Wrong { get; } = [];

    /// <summary>Nodes that read it and cannot vouch for it, because a flush has failed there: whoever copies verifies.</summary>
    public List<NodeId> Readable { get; } = [];

    /// <summary>Nodes that it can be copied from, the best first.</summary>
    public IReadOnlyCollection<NodeId> Sources => [.. Good, .. Outside, .. Readable];

    /// <summary>Copies that nodes have, good or wrong, by their marks.</summary>
    public List<(NodeId Node, ulong Mark)> Marks { get; } = [];

    /// <summary>Nodes that should have it and do not answer, or cannot vouch for it.</summary>
    public List<NodeId> Unknown { get; } = [];

    /// <summary>Whether one that is not lost for good may have it.</summary>
    public bool HasUnknown => Unknown.Exists(node => !nodes.IsLost(node));

    /// <summary>Asks the nodes that should have it.</summary>
    public async Task AskHoldersAsync(CancellationToken cancellationToken)
    {
        foreach (var node in row.Nodes) await VerifyAsync(node, cancellationToken);
    }

    /// <summary>Asks the other nodes: an upload may have made a copy later than it was recorded.</summary>
    public async Task AskOthersAsync(IReadOnlyDictionary<NodeId, NodeHealth> health, CancellationToken cancellationToken)
    {
        foreach (var node in Others(health))
        {
            try
            {
                if (await nodes.Find(node)!.FindAsync(row.Id, cancellationToken) is not null) await VerifyAsync(node, cancellationToken);
            }
            catch (StorageNodeException)
            {
                // It was not expected to have one.
            }
        }
    }

    /// <summary>Looks for it in what was taken away.</summary>
    public async Task RestoreAsync(IReadOnlyDictionary<NodeId, NodeHealth> health, CancellationToken cancellationToken)
    {
        foreach (var node in row.Nodes.Concat(Others(health)).Distinct().ToArray())
        {
            try
            {
                if (!Wrong.Contains(node) && nodes.Find(node) is { } found && await found.RestoreAsync(row.Id, cancellationToken))
                    await VerifyAsync(node, cancellationToken);
            }
            catch (StorageNodeException)
            {
                // Then not from there.
            }
        }
    }

    // One whose flush has failed can be read from.
    IEnumerable<NodeId> Others(IReadOnlyDictionary<NodeId, NodeHealth> health) =>
        health.Where(pair => pair.Value.State != NodeState.Unavailable && !row.Nodes.Contains(pair.Key)).Select(pair => pair.Key);

    async Task VerifyAsync(NodeId id, CancellationToken cancellationToken)
    {
        try
        {
            if (nodes.Find(id) is not { } node)
            {
                Unknown.Add(id);
                return;
            }

            var found = await node.VerifyAsync(row.Id, cancellationToken);
            var isRight = found.Digest.LengthBytes == row.LengthBytes;
            (!isRight ? Wrong : nodes.IsMember(id) ? Good : Outside).Add(id);
            Marks.Add((id, found.Mark));
        }
        catch (StorageNodeException e) when (e.Kind == NodeErrorKind.NotFound)
        {
            // It has looked.
        }
        catch (StorageNodeException e) when (e.Kind == NodeErrorKind.Damaged)
        {
            Wrong.Add(id);
            if (await FindAsync(id, cancellationToken) is { } mark) Marks.Add((id, mark));
        }
        catch (StorageNodeException e) when (e.Kind == NodeErrorKind.Suspect)
        {
            Unknown.Add(id);
            if (await FindAsync(id, cancellationToken) is > 0) Readable.Add(id);
        }
        catch (StorageNodeException)
        {
            Unknown.Add(id);
        }
    }

    // The mark of a copy; 0 if its trailer cannot be read, null if there is none or nobody can tell.
    async Task<ulong?> FindAsync(NodeId id, CancellationToken cancellationToken)
    {
        try
        {
            return nodes.Find(id) is { } node ? (await node.FindAsync(row.Id, cancellationToken))?.Mark : null;
        }
        catch (StorageNodeException e) when (e.Kind == NodeErrorKind.Damaged)
        {
            return 0;
        }
        catch (StorageNodeException)
        {
            return null;
        }
    }
}
