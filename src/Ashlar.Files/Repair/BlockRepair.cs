using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Sees to it that blocks have the copies that they should have: copies that are found are verified, missing ones are made from a verified
/// one, and the catalogue is told of both.
/// </summary>
/// <remarks>
/// <para>The order is: verify, copy, record, and only then take away what is too much. A crash between two of them leaves a copy that
/// nobody knows of, which the next look finds and adopts, or takes away.</para>
/// <para>No copy is taken away but where the catalogue lists as many others as are wanted, each verified in this run, and not this one, and
/// where no upload may be about to record it. Where no copy is good nothing at all is changed.</para>
/// <para>A node whose flush has failed is read from, because what it has acknowledged was durable before; it counts as one that is
/// away.</para>
/// </remarks>
/// <param name="nodes">The nodes.</param>
/// <param name="buffers">Memory.</param>
/// <param name="catalogue">Where blocks are.</param>
/// <param name="throttle">Bytes that may be copied.</param>
/// <param name="entropy">Chooses nodes.</param>
public sealed class BlockRepair(
    StorageNodes nodes, BufferPool buffers, IBlockCatalogue catalogue, TokenBucket? throttle = null, IEntropySource? entropy = null)
    : ICopyReports
{
    const int Attempts = 8, PageLength = 100;

    readonly IEntropySource entropy = entropy ?? SystemEntropy.Instance;

    /// <summary>Blocks that somebody found a wrong copy of, or none, and whose copies were not all verified since.</summary>
    public int ReportedCount => nodes.Doubts.Count;

    /// <summary>Blocks of which no copy could be read.</summary>
    public UnreadableBlocks Unreadable => nodes.Unreadable;

    /// <summary>Whether <see cref="RunAsync(WorkPace?, CancellationToken)"/> would find a block to look after now.</summary>
    public async Task<bool> HasWorkAsync(CancellationToken cancellationToken = default)
    {
        if (nodes.Doubts.All.Any(block => !Unreadable.IsWaiting(block))) return true;
        BlockLocations? last = null;
        while (await catalogue.ListUnderReplicatedAsync(last, PageLength, cancellationToken) is { Count: > 0 } page)
        {
            if (page.Any(row => !Unreadable.IsWaiting(row.Id))) return true;
            last = page[^1];
        }

        return false;
    }

    /// <inheritdoc />
    public void Report(CustomerId customer, BlockName block, NodeId node, CopyProblem problem) =>
        nodes.Doubts.Add(new CustomerBlock(customer, block));

    /// <summary>Looks after all blocks that were reported, and those that lack copies: those with the fewest first.</summary>
    /// <returns>How many there were of each outcome.</returns>
    public Task<IReadOnlyDictionary<RepairOutcome, int>> RunAsync(CancellationToken cancellationToken = default) =>
        RunAsync(null, cancellationToken);

    /// <summary>
    /// Looks after all blocks that were reported, and those that lack copies: those with the fewest first. Those of which no copy could be
    /// read a moment ago are left alone for a while.
    /// </summary>
    /// <param name="pace">Asked between two blocks.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>How many there were of each outcome; of those that are left alone as it was.</returns>
    public async Task<IReadOnlyDictionary<RepairOutcome, int>> RunAsync(WorkPace? pace, CancellationToken cancellationToken = default)
    {
        await RaiseAsync(cancellationToken);
        var outcomes = new Dictionary<RepairOutcome, int>();
        foreach (var block in nodes.Doubts.All) await CountAsync(block, 0);

        BlockLocations? last = null;
        while (await catalogue.ListUnderReplicatedAsync(last, PageLength, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var row in page) await CountAsync(row.Id, row.LengthBytes);
            last = page[^1];
        }

        return outcomes;

        async Task CountAsync(CustomerBlock block, long bytes)
        {
            if (pace is not null) await pace(0);
            var outcome = await LookAfterAsync(block, null, cancellationToken);
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            if (pace is not null) await pace(bytes);
        }
    }

    /// <summary>
    /// Looks after one of many blocks, unless it was found a moment ago that no copy of it can be read. One that the catalogue tells wrong
    /// things of is unreadable, too: the others are looked after all the same.
    /// </summary>
    internal async Task<RepairOutcome> LookAfterAsync(CustomerBlock block, NodeId? leaving, CancellationToken cancellationToken)
    {
        if (Unreadable.IsWaiting(block)) return RepairOutcome.Unreadable;
        RepairOutcome outcome;
        try
        {
            outcome = await RepairAsync(block, leaving, cancellationToken);
        }
        catch (CorruptDataException)
        {
            outcome = RepairOutcome.Unreadable;
        }

        Unreadable.Record(block, outcome);
        return outcome;
    }

    // Invariant: what was written before a node was added is wanted as often as what is written after it. Where this is cut off, or the
    // program has ended meanwhile, it begins again. What is committed while it goes on is raised by who commits.
    async Task RaiseAsync(CancellationToken cancellationToken)
    {
        if (!nodes.HasGrown) return;
        var (growths, wanted) = (nodes.Growths, nodes.LeastCopies);
        CustomerBlock? last = null;
        while (await catalogue.RaiseWantedCopiesAsync(last, wanted, PageLength, cancellationToken) is { } end) last = end;
        nodes.GrowthsSeen = growths;
    }

    /// <summary>Looks after one block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="leaving">A node whose copy does not count, though it can be copied from; it is taken away where that is safe.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<RepairOutcome> RepairAsync(CustomerBlock block, NodeId? leaving = null, CancellationToken cancellationToken = default)
    {
        using var latch = await nodes.Latches.TakeAsync(block, cancellationToken);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var doubt = nodes.Doubts.Find(block);
            if (await FindAsync(block, cancellationToken) is not { State: not BlockState.Deleting } row)
            {
                nodes.Doubts.Settle(block, doubt);
                return RepairOutcome.Gone;
            }

            if (await TryRepairAsync(row, leaving, cancellationToken) is { } outcome) return outcome;
        }

        return RepairOutcome.Short; // Somebody else changes it all the time; it stays in the list of those that lack copies if it does.
    }

    // Null if somebody else has changed the row meanwhile.
    async Task<RepairOutcome?> TryRepairAsync(BlockLocations row, NodeId? leaving, CancellationToken cancellationToken)
    {
        var wanted = nodes.WantedCopiesOf(row);
        var doubt = nodes.Doubts.Find(row.Id);
        var health = await nodes.GetHealthAsync(cancellationToken);
        var copies = new CopySurvey(nodes, row);
        await copies.AskHoldersAsync(cancellationToken);
        if (copies.Good.Count(node => node != leaving) < wanted) await copies.AskOthersAsync(health, cancellationToken);
        if (copies.Wrong.Count > 0) doubt ??= nodes.Doubts.Add(row.Id);
        if (copies.Sources.Count == 0 && !copies.HasUnknown) await copies.RestoreAsync(health, cancellationToken);
        if (copies.Sources.Count == 0) return RepairOutcome.Unreadable;
        var good = copies.Good.Where(node => node != leaving).ToList();

        // A node that is away for a moment keeps its copy, unless there is only one other: then nobody waits for it.
        var awaited = good.Count > 1 ? copies.Unknown.Where(node => node != leaving && !nodes.IsLost(node)).ToList() : [];
        var tried = new HashSet<NodeId>([.. good, .. awaited, .. leaving is { } one ? [one] : Array.Empty<NodeId>()]);
        while (good.Count + awaited.Count < wanted && await ChooseAsync(row, tried, good, cancellationToken) is { } target)
        {
            tried.Add(target.Id);
            if (await TryCopyAsync(copies.Sources, target, row.Id, cancellationToken)) good.Add(target.Id);
        }

        if (good.Count == 0 && copies.Good.Count + copies.Outside.Count == 0) return RepairOutcome.Unreadable;

        // Invariant: a node leaves the row only where as many as are wanted were verified, or because it said itself that it has none.
        var isWhole = good.Count >= wanted;
        if (isWhole) good = Best(good, row, wanted);
        var kept = isWhole ? [] : copies.Unknown.Concat(copies.Outside).Where(row.Nodes.Contains).ToList();
        if (!isWhole && leaving is { } last && copies.Good.Contains(last)) kept.Add(last);
        NodeId[] listed = [.. good.Concat(kept).Distinct().Order()];
        if (!listed.SequenceEqual(row.Nodes.Order()) || wanted > row.WantedCopies)
        {
            var changed = await catalogue.ReplaceNodesAsync(row.Customer, row.Name, row.Version, listed, wanted, cancellationToken);
            if (changed is null) return null;
        }

        if (isWhole)
        {
            var surplus = copies.Marks.Where(copy => !listed.Contains(copy.Node)).ToArray();
            await TakeAwayLatchedAsync(row.Id, surplus, cancellationToken);
            nodes.Doubts.Settle(row.Id, doubt);
        }

        return isWhole ? RepairOutcome.Whole : RepairOutcome.Short;
    }

    async Task<BlockLocations?> FindAsync(CustomerBlock block, CancellationToken cancellationToken) =>
        (await catalogue.GetLocationsAsync(block.Customer, [block.Name], cancellationToken))[0];

    // As many as are wanted: in failure domains of their own first, and where they are known to be.
    List<NodeId> Best(List<NodeId> good, BlockLocations row, int wanted)
    {
        var left = good.OrderByDescending(node => row.Nodes.Contains(node)).ToList();
        var best = new List<NodeId>();
        var domains = new HashSet<string>(StringComparer.Ordinal);
        while (best.Count < wanted)
        {
            var next = left.FindIndex(node => nodes.Get(node) is { } known && !domains.Contains(known.Domain));
            var chosen = left[Math.Max(0, next)];
            if (nodes.Get(chosen) is { } one) domains.Add(one.Domain);
            best.Add(chosen);
            left.Remove(chosen);
        }

        return best;
    }

    async Task<IStorageNode?> ChooseAsync(
        BlockLocations row, HashSet<NodeId> without, List<NodeId> good, CancellationToken cancellationToken)
    {
        var domains = good.Select(nodes.Get).OfType<KnownNode>().Select(node => node.Domain);
        var needed = NodeUpload.SpaceBytes(row.LengthBytes);
        return (await nodes.ChooseAsync(entropy, without, domains, needed, cancellationToken)).FirstOrDefault()?.Node;
    }

    async Task<bool> TryCopyAsync(
        IEnumerable<NodeId> sources, IStorageNode target, CustomerBlock block, CancellationToken cancellationToken)
    {
        foreach (var source in sources.Select(nodes.Find).OfType<IStorageNode>())
        {
            try
            {
                await BlockCopy.RunAsync(
                    source, target, block, buffers,
                    throttle is null ? null : bytes => throttle.TakeAsync(bytes, cancellationToken),
                    cancellationToken);
                return true;
            }
            catch (StorageNodeException e) when (e.Node == target.Id)
            {
                return false;
            }
            catch (StorageNodeException)
            {
                // Another source may do.
            }
        }

        return false;
    }

    /// <summary>Takes copies away that the catalogue does not list, where it lists as many others as are wanted.</summary>
    /// <param name="block">The block. All copies of it that are wanted were verified.</param>
    /// <param name="copies">Nodes, and the marks of the copies that were looked at there.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>How many.</returns>
    internal async Task<int> TakeAwayAsync(
        CustomerBlock block, IReadOnlyCollection<(NodeId Node, ulong Mark)> copies, CancellationToken cancellationToken)
    {
        using var latch = await nodes.Latches.TakeAsync(block, cancellationToken);
        return await TakeAwayLatchedAsync(block, copies, cancellationToken);
    }

    async Task<int> TakeAwayLatchedAsync(
        CustomerBlock block, IReadOnlyCollection<(NodeId Node, ulong Mark)> copies, CancellationToken cancellationToken)
    {
        // Invariant: nobody relies on a copy that is taken away. Who made it has pinned the block before. If it has no pin any more it has
        // recorded the copy, and the row, which is read after that, lists it, or it never will. Who pins the block later makes a copy of
        // another mark, which is not the one that is taken away.
        if (copies.Count == 0 || await catalogue.IsPinnedAsync(block.Customer, block.Name, cancellationToken)) return 0;
        var row = await FindAsync(block, cancellationToken);
        if (row is null || row.State == BlockState.Deleting || row.Nodes.Count < nodes.WantedCopiesOf(row)) return 0;
        var count = 0;
        foreach (var (id, mark) in copies)
        {
            if (row.Nodes.Contains(id) || nodes.Find(id) is not { } node) continue;
            try
            {
                if (await node.RemoveAsync(block, mark, cancellationToken)) count++;
            }
            catch (StorageNodeException)
            {
                // A copy too many is found when the node is compared with the catalogue.
            }
        }

        return count;
    }
}
