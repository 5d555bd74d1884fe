namespace Ashlar.Files;

/// <summary>What the nodes have of a block, by their own word.</summary>
sealed class CopySurvey(StorageNodes nodes, BlockLocations row)
{
    /// <summary>Nodes that have read all of it from the medium, and it is right.</summary>
    public List<NodeId> Good { get; } = [];

    /// <summary>Nodes that have something else under its name.</summary>
    public List<NodeId> Wrong { get; } = [];

    /// <summary>Nodes that should have it and do not answer.</summary>
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
                if (await nodes.Find(node)!.FindAsync(row.Name, cancellationToken) is not null) await VerifyAsync(node, cancellationToken);
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
                if (!Wrong.Contains(node) && nodes.Find(node) is { } found && await found.RestoreAsync(row.Name, cancellationToken))
                    await VerifyAsync(node, cancellationToken);
            }
            catch (StorageNodeException)
            {
                // Then not from there.
            }
        }
    }

    IEnumerable<NodeId> Others(IReadOnlyDictionary<NodeId, NodeHealth> health) =>
        health.Where(pair => pair.Value.State == NodeState.Up && !row.Nodes.Contains(pair.Key)).Select(pair => pair.Key);

    async Task VerifyAsync(NodeId id, CancellationToken cancellationToken)
    {
        try
        {
            if (nodes.Find(id) is not { } node)
            {
                Unknown.Add(id);
                return;
            }

            var found = await node.VerifyAsync(row.Name, cancellationToken);
            (found.Digest.LengthBytes == row.LengthBytes && found.Customer == row.Customer ? Good : Wrong).Add(id);
        }
        catch (StorageNodeException e) when (e.Kind == NodeErrorKind.NotFound)
        {
            // It has looked.
        }
        catch (StorageNodeException e) when (e.Kind == NodeErrorKind.Damaged)
        {
            Wrong.Add(id);
        }
        catch (StorageNodeException)
        {
            Unknown.Add(id);
        }
    }
}
