using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>What is done for all blocks of a storage node: when it is lost, comes back, is to be emptied, or from time to time.</summary>
/// <param name="nodes">The nodes.</param>
/// <param name="catalogue">Where blocks are.</param>
/// <param name="repair">Looks after one block.</param>
/// <param name="throttle">Bytes that may be verified.</param>
public sealed class NodeCare(StorageNodes nodes, IBlockCatalogue catalogue, BlockRepair repair, TokenBucket? throttle = null)
{
    const int PageLength = 200;

    /// <summary>
    /// Makes the copies of a node that is lost anew, elsewhere: of blocks that have one copy left first. Does nothing for one that may come
    /// back (<see cref="StorageNodes.IsLost"/>).
    /// </summary>
    /// <returns>How many there were of each outcome.</returns>
    public Task<IReadOnlyDictionary<RepairOutcome, int>> ReplaceLostAsync(NodeId node, CancellationToken cancellationToken = default) =>
        ReplaceLostAsync(node, null, cancellationToken);

    /// <inheritdoc cref="ReplaceLostAsync(NodeId, CancellationToken)"/>
    /// <param name="node">The node.</param>
    /// <param name="pace">Asked between two blocks.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyDictionary<RepairOutcome, int>> ReplaceLostAsync(
        NodeId node, WorkPace? pace, CancellationToken cancellationToken = default)
    {
        var outcomes = new Dictionary<RepairOutcome, int>();
        if (!nodes.IsLost(node)) return outcomes;
        foreach (var isFirstPass in (bool[])[true, false])
        {
            await foreach (var (block, row) in RowsOfAsync(node, cancellationToken))
            {
                if (isFirstPass && (row is null || row.Nodes.Count(holder => !nodes.IsLost(holder)) > 1)) continue;
                if (pace is not null) await pace(0);
                var outcome = await repair.LookAfterAsync(block, null, cancellationToken);
                if (pace is not null) await pace(row?.LengthBytes ?? 0);
                if (isFirstPass && outcome != RepairOutcome.Whole) continue; // It is met again.
                outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            }
        }

        return outcomes;
    }

    /// <summary>Whether a node has blocks, by the catalogue, but those of which no copy could be read a moment ago.</summary>
    public async Task<bool> HasWorkAsync(NodeId node, CancellationToken cancellationToken = default)
    {
        CustomerBlock? last = null;
        while (await catalogue.ListBlocksOfNodeAsync(node, last, PageLength, cancellationToken) is { Count: > 0 } page)
        {
            if (page.Any(block => !repair.Unreadable.IsWaiting(block))) return true;
            last = page[^1];
        }

        return false;
    }

    /// <summary>What keeps a node from being emptied. Changes nothing.</summary>
    public async Task<DrainCheck> CheckDrainAsync(NodeId node, CancellationToken cancellationToken = default)
    {
        var health = await nodes.GetHealthAsync(cancellationToken);
        var others = health
            .Where(pair => pair.Key != node && pair.Value.State == NodeState.Up)
            .Where(pair => nodes.IsMember(pair.Key) && !nodes.IsDraining(pair.Key))
            .ToDictionary(pair => pair.Key, pair => pair.Value.FreeBytes);
        var (blocks, bytes, widest, homeless, damaged) = (0L, 0L, 0, 0L, 0L);
        var unreadable = new List<CustomerBlock>();
        await foreach (var (_, known) in RowsOfAsync(node, cancellationToken))
        {
            blocks++;
            if (known is not { } row)
            {
                damaged++;
                continue;
            }

            var needed = NodeUpload.SpaceBytes(row.LengthBytes);
            bytes += needed;
            var home = others.Where(pair => pair.Value >= needed && !row.Nodes.Contains(pair.Key)).Select(pair => pair.Key).ToArray();
            if (home.Length == 0) homeless++;
            else others[home.MaxBy(other => others[other])] -= needed;
            widest = Math.Max(widest, row.WantedCopies);
            if (unreadable.Count < PageLength && !await IsReadableAsync(row, cancellationToken))
                unreadable.Add(row.Id);
        }

        var problems = new List<string>();
        if (others.Count < widest) problems.Add($"blocks are to have {widest} copies, and {others.Count} other nodes take blocks");
        else if (homeless > 0) problems.Add($"for {homeless} of {blocks} blocks no other node without a copy has space");
        if (damaged > 0) problems.Add($"what the metadata tell of {damaged} blocks is damaged: they stay");
        if (unreadable.Count > 0) problems.Add($"of {unreadable.Count} blocks no copy can be read: {unreadable[0].Name}");
        return new DrainCheck(blocks, bytes, problems, unreadable);
    }

    /// <summary>
    /// Empties a node: nothing new is put on it, each of its blocks gets a copy elsewhere, and only when all copies that are wanted are
    /// there and verified its own is taken away.
    /// </summary>
    /// <returns>How many there were of each outcome; the node is empty when all are whole or gone.</returns>
    public Task<IReadOnlyDictionary<RepairOutcome, int>> DrainAsync(NodeId node, CancellationToken cancellationToken = default) =>
        DrainAsync(node, null, cancellationToken);

    /// <inheritdoc cref="DrainAsync(NodeId, CancellationToken)"/>
    /// <param name="node">The node.</param>
    /// <param name="pace">Asked between two blocks.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyDictionary<RepairOutcome, int>> DrainAsync(
        NodeId node, WorkPace? pace, CancellationToken cancellationToken = default)
    {
        nodes.SetDraining(node, true);
        var outcomes = new Dictionary<RepairOutcome, int>();
        await foreach (var (block, row) in RowsOfAsync(node, cancellationToken))
        {
            if (pace is not null) await pace(0);
            var outcome = await repair.LookAfterAsync(block, node, cancellationToken);
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            if (pace is not null) await pace(row?.LengthBytes ?? 0);
        }

        return outcomes;
    }

    /// <summary>
    /// Compares what a node has with what it should have, when it comes back: what it lacks is made anew; what has become too much is
    /// taken away, but only after the copies that replaced it were verified; what nobody knows of is left to the collector.
    /// </summary>
    public Task<NodeComparison> CompareAsync(NodeId id, CancellationToken cancellationToken = default) =>
        CompareAsync(id, null, cancellationToken);

    /// <inheritdoc cref="CompareAsync(NodeId, CancellationToken)"/>
    /// <param name="id">The node.</param>
    /// <param name="pace">Asked between pages and blocks.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<NodeComparison> CompareAsync(NodeId id, WorkPace? pace, CancellationToken cancellationToken = default)
    {
        var node = nodes.Find(id) ?? throw new ArgumentException($"Storage node {id} is not known.", nameof(id));
        var (present, lacking, surplus, strangers, damaged) = (0, 0, 0, 0, 0);
        CustomerBlock? last = null;
        while (await node.ListAsync(last, PageLength, cancellationToken) is { Count: > 0 } page)
        {
            last = page[^1].Id;
            if (pace is not null) await pace(0);
            foreach (var group in page.Where(entry => entry.Block is not null).GroupBy(entry => entry.Id.Customer))
            {
                var rows = await RowsAsync(group.Key, group.Select(entry => entry.Id), cancellationToken);
                foreach (var ((row, isDamaged), entry) in rows.Zip(group))
                {
                    if (isDamaged) damaged++;
                    else if (row is null) strangers++;
                    else if (row.Nodes.Contains(id)) present++;
                    else if (row.State != BlockState.Deleting && await TrimAsync(id, entry.Block!, cancellationToken)) surplus++;
                }
            }
        }

        await foreach (var (block, row) in RowsOfAsync(id, cancellationToken))
        {
            if (row is null || row.State == BlockState.Deleting || await HasAsync(node, block, cancellationToken)) continue;
            if (pace is not null) await pace(0);
            lacking++;
            await repair.LookAfterAsync(block, null, cancellationToken);
            if (pace is not null) await pace(row.LengthBytes);
        }

        return new NodeComparison(present, lacking, surplus, strangers) { Damaged = damaged };
    }

    /// <summary>Reads blocks of a node from the medium and has those made anew that are not what they should be.</summary>
    /// <param name="id">The node.</param>
    /// <param name="after">Where the last call ended; null to begin.</param>
    /// <param name="limit">At most so many blocks.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Where it ended, which is kept by whoever wants to go on there after a restart.</returns>
    public async Task<ScrubProgress> ScrubAsync(NodeId id, CustomerBlock? after, int limit, CancellationToken cancellationToken = default)
    {
        var node = nodes.Find(id) ?? throw new ArgumentException($"Storage node {id} is not known.", nameof(id));
        var (good, bytes) = (0, 0L);
        var bad = new List<CustomerBlock>();
        var page = await node.ListAsync(after, limit, cancellationToken);
        foreach (var entry in page)
        {
            if (entry.Block is { } block && await IsGoodAsync(node, block, cancellationToken))
            {
                good++;
                bytes += block.Digest.LengthBytes;
            }
            else
            {
                bad.Add(entry.Id);
            }
        }

        foreach (var group in bad.GroupBy(block => block.Customer))
        {
            foreach (var (row, _) in await RowsAsync(group.Key, group, cancellationToken))
                if (row?.Nodes.Contains(id) == true) await repair.LookAfterAsync(row.Id, null, cancellationToken);
        }

        return new ScrubProgress(page.Count == 0 ? null : page[^1].Id, good, bytes, bad);
    }

    async Task<bool> IsGoodAsync(IStorageNode node, StoredBlock block, CancellationToken cancellationToken)
    {
        if (throttle is not null) await throttle.TakeAsync(block.Digest.LengthBytes, cancellationToken);
        try
        {
            await node.VerifyAsync(block.Id, cancellationToken);
            return true;
        }
        catch (StorageNodeException e) when (e.IsVerdict)
        {
            return e.Kind == NodeErrorKind.NotFound; // It was taken away meanwhile.
        }
    }

    // Whether a copy was taken away that the row does not list.
    async Task<bool> TrimAsync(NodeId id, StoredBlock block, CancellationToken cancellationToken) =>
        await repair.RepairAsync(block.Id, null, cancellationToken) == RepairOutcome.Whole
        && await repair.TakeAwayAsync(block.Id, [(id, block.Mark)], cancellationToken) == 1;

    async Task<bool> IsReadableAsync(BlockLocations row, CancellationToken cancellationToken)
    {
        foreach (var holder in row.Nodes.Select(nodes.Find).OfType<IStorageNode>())
        {
            try
            {
                if (await HasAsync(holder, row.Id, cancellationToken)) return true;
            }
            catch (StorageNodeException)
            {
                // Then another one.
            }
        }

        return false;
    }

    static async Task<bool> HasAsync(IStorageNode node, CustomerBlock block, CancellationToken cancellationToken)
    {
        try
        {
            return await node.FindAsync(block, cancellationToken) is not null;
        }
        catch (StorageNodeException e) when (e.Kind == NodeErrorKind.Damaged)
        {
            return false;
        }
    }

    // Rows, in the order of the blocks. One that is damaged keeps nobody from the others.
    async Task<IReadOnlyList<(BlockLocations? Row, bool IsDamaged)>> RowsAsync(
        CustomerId customer, IEnumerable<CustomerBlock> blocks, CancellationToken cancellationToken)
    {
        var names = blocks.Select(block => block.Name).ToArray();
        try
        {
            return [.. (await catalogue.GetLocationsAsync(customer, names, cancellationToken)).Select(row => (row, false))];
        }
        catch (CorruptDataException)
        {
            // One by one, then.
        }

        var rows = new List<(BlockLocations?, bool)>();
        foreach (var name in names)
        {
            try
            {
                rows.Add(((await catalogue.GetLocationsAsync(customer, [name], cancellationToken))[0], false));
            }
            catch (CorruptDataException)
            {
                rows.Add((null, true));
            }
        }

        return rows;
    }

    // Blocks of a node with their rows; null for one whose row is damaged.
    async IAsyncEnumerable<(CustomerBlock Block, BlockLocations? Row)> RowsOfAsync(
        NodeId node, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        CustomerBlock? last = null;
        while (await catalogue.ListBlocksOfNodeAsync(node, last, PageLength, cancellationToken) is { Count: > 0 } page)
        {
            last = page[^1];
            foreach (var group in page.GroupBy(block => block.Customer))
            {
                foreach (var (block, (row, isDamaged)) in group.Zip(await RowsAsync(group.Key, group, cancellationToken)))
                    if (row is not null || isDamaged) yield return (block, row);
            }
        }
    }
}

/// <summary>What keeps a node from being emptied.</summary>
/// <param name="Blocks">Blocks that it has.</param>
/// <param name="Bytes">What they take.</param>
/// <param name="Problems">In words; none if nothing does.</param>
/// <param name="UnreadableBlocks">Some of the blocks of which no copy can be read.</param>
public sealed record DrainCheck(long Blocks, long Bytes, IReadOnlyList<string> Problems, IReadOnlyList<CustomerBlock> UnreadableBlocks);

/// <summary>What a node has, compared with what it should have.</summary>
/// <param name="Present">Blocks that it has and should have.</param>
/// <param name="Lacking">Blocks that it should have and has not: they were looked after.</param>
/// <param name="Surplus">Blocks that were too much, and were taken away.</param>
/// <param name="Strangers">Blocks that nobody knows of.</param>
public sealed record NodeComparison(int Present, int Lacking, int Surplus, int Strangers)
{
    /// <summary>Blocks of which the metadata tell what is damaged: they were left alone.</summary>
    public int Damaged { get; init; }
}

/// <summary>How far a scrub came.</summary>
/// <param name="Last">Where to go on; null when the node is through.</param>
/// <param name="Good">Blocks that are what they should be.</param>
/// <param name="Bytes">Bytes of those.</param>
/// <param name="Bad">Blocks that are not; those that the node should have were looked after.</param>
public sealed record ScrubProgress(CustomerBlock? Last, int Good, long Bytes, IReadOnlyList<CustomerBlock> Bad);
