using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Records copies that became durable after the file was committed that refers to their block: the third of three, mostly. What is lost
/// of it in a crash is found by repair. Any thread.
/// </summary>
sealed class LateCopies(StorageNodes nodes, IBlockCatalogue catalogue)
{
    // Of uploads that have not been committed yet. What is too much is left to repair.
    const int Bound = 16_384;
    const int Attempts = 8;

    readonly Lock gate = new();
    readonly Dictionary<CustomerBlock, StoredCopies> waiting = [];
    readonly Queue<CustomerBlock> order = new();

    /// <summary>Enough copies of a block are durable, and somebody is about to say so to the metadata.</summary>
    public void Add(StoredCopies copies)
    {
        lock (gate)
        {
            if (!waiting.ContainsKey(copies.Block)) order.Enqueue(copies.Block);
            waiting[copies.Block] = copies;
            while (order.Count > Bound) waiting.Remove(order.Dequeue());
        }
    }

    /// <summary>Records what a block has, once nothing more is done for it. Its row is there by now.</summary>
    public async Task RecordAsync(CustomerBlock block)
    {
        StoredCopies? copies;
        lock (gate) waiting.Remove(block, out copies);
        if (copies is null) return;
        await copies.Completed;
        try
        {
            using var latch = await nodes.Latches.TakeAsync(block);
            for (var attempt = 0; attempt < Attempts; attempt++)
                if (await TryRecordAsync(copies)) return;
        }
        catch (Exception e) when (e is AshlarException or ObjectDisposedException)
        {
            // The block is listed among those that lack copies: repair finds this one.
        }
    }

    // Of two first uploads of one content one is deleted, and perhaps forgotten, at once: no file refers to this one, and none will.
    async Task RemoveAsync(CustomerBlock block, IEnumerable<NodeId> holders)
    {
        foreach (var holder in holders.Select(nodes.Find).OfType<IStorageNode>())
        {
            try
            {
                await holder.RemoveAsync(block, null, default);
            }
            catch (StorageNodeException)
            {
                // The sweep of what nodes have finds it.
            }
        }
    }

    // False if somebody else has changed the row meanwhile.
    async Task<bool> TryRecordAsync(StoredCopies copies)
    {
        var row = (await catalogue.GetLocationsAsync(copies.Block.Customer, [copies.Name]))[0];
        if (row is null or { State: BlockState.Deleting })
        {
            await RemoveAsync(copies.Block, copies.Late.Except(row?.Nodes ?? []));
            return true;
        }

        // Where a node was added between the commit's question and its write, more copies are wanted than the row says.
        var wanted = nodes.WantedCopiesOf(row);
        var more = new List<NodeId>();
        foreach (var node in copies.Late.Except(row.Nodes))
        {
            // Invariant: no copy is added to a row that lists enough, for repair may be about to take it away because of that; and none
            // that the commit has recorded, for repair had a reason to take it out.
            if (row.Nodes.Count + more.Count < wanted && await HasCopyAsync(node, row)) more.Add(node);
        }

        return (more.Count == 0 && wanted == row.WantedCopies)
            || await catalogue.ReplaceNodesAsync(row.Customer, row.Name, row.Version, [.. row.Nodes, .. more], wanted) is not null;
    }

    // It may have been taken away again since, or its node is being emptied.
    async Task<bool> HasCopyAsync(NodeId id, BlockLocations row)
    {
        try
        {
            return !nodes.IsDraining(id)
                && nodes.Find(id) is { } node
                && (await node.FindAsync(row.Id, default))?.Digest.LengthBytes == row.LengthBytes;
        }
        catch (StorageNodeException)
        {
            return false; // Repair finds it, if it is there.
        }
    }
}
