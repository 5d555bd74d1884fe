namespace Ashlar.Files;

/// <summary>Where blocks are, as was learnt a while ago: copies move, and whoever finds none forgets and asks again. Any thread.</summary>
sealed class KnownLocations(IBlockCatalogue catalogue)
{
    const int Bound = 16_384;

    readonly Lock gate = new();
    readonly Dictionary<CustomerBlock, IReadOnlyList<NodeId>> known = [];
    readonly Queue<CustomerBlock> order = new();

    /// <summary>Asks for those that are not known, all at once.</summary>
    public async Task LearnAsync(CustomerId customer, IReadOnlyList<BlockName> blocks, CancellationToken cancellationToken)
    {
        BlockName[] unknown;
        lock (gate) unknown = [.. blocks.Where(block => !known.ContainsKey(new CustomerBlock(customer, block))).Distinct()];
        if (unknown.Length == 0) return;
        var found = await catalogue.GetLocationsAsync(customer, unknown, cancellationToken);
        lock (gate)
        {
            for (var i = 0; i < unknown.Length; i++)
                if (found[i] is { } row) Add(new CustomerBlock(customer, unknown[i]), row.Nodes);
        }
    }

    /// <summary>Where a block is, and whether that was learnt just now.</summary>
    public async ValueTask<(IReadOnlyList<NodeId> Nodes, bool IsFresh)> FindAsync(
        CustomerId customer, BlockName block, CancellationToken cancellationToken)
    {
        var key = new CustomerBlock(customer, block);
        lock (gate)
            if (known.TryGetValue(key, out var nodes)) return (nodes, false);
        await LearnAsync(customer, [block], cancellationToken);
        lock (gate) return (known.GetValueOrDefault(key) ?? [], true);
    }

    /// <summary>Asks anew the next time.</summary>
    public void Forget(CustomerId customer, BlockName block)
    {
        lock (gate) known.Remove(new CustomerBlock(customer, block));
    }

    void Add(CustomerBlock key, IReadOnlyList<NodeId> nodes)
    {
        if (!known.ContainsKey(key)) order.Enqueue(key);
        known[key] = nodes;
        while (order.Count > Bound) known.Remove(order.Dequeue());
    }
}
