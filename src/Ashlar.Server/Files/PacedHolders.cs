using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Nodes in front of which a task waits: before each call, and as long as what was read asks for.</summary>
sealed class PacedHolders(IBlockHolders inner, IBlockCatalogue catalogue, Func<long, ValueTask> pace) : IBlockHolders
{
    public IReadOnlyCollection<NodeId> Nodes => inner.Nodes;

    public async Task<bool> RemoveAsync(NodeId node, CustomerBlock block, CancellationToken cancellationToken = default)
    {
        await pace(0);
        return await inner.RemoveAsync(node, block, cancellationToken);
    }

    public async Task<CopyState> VerifyAsync(NodeId node, CustomerBlock block, CancellationToken cancellationToken = default)
    {
        await pace(0);
        var row = (await catalogue.GetLocationsAsync(block.Customer, [block.Name], cancellationToken))[0];
        var found = await inner.VerifyAsync(node, block, cancellationToken);
        await pace(row?.LengthBytes ?? 0);
        return found;
    }

    public async Task<IReadOnlyList<HeldBlock>?> ListAsync(
        NodeId node, CustomerBlock? after, int limit, CancellationToken cancellationToken = default)
    {
        await pace(0);
        return await inner.ListAsync(node, after, limit, cancellationToken);
    }

    public async Task<int> PurgeAsync(NodeId node, int limit, CancellationToken cancellationToken = default)
    {
        await pace(0);
        return await inner.PurgeAsync(node, limit, cancellationToken);
    }
}
