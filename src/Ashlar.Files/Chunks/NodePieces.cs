using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Fetches pieces from storage nodes: from the one that is likely to answer first, from another one as well if that takes long, and from
/// the next if the copy is not there or damaged, which is reported.
/// </summary>
/// <param name="nodes">The nodes.</param>
/// <param name="buffers">Memory that all uploads and downloads share.</param>
/// <param name="catalogue">Where blocks are.</param>
/// <param name="reports">Hears of copies that have to be made anew.</param>
/// <param name="options">When a read is made twice.</param>
/// <param name="clock">What time it is.</param>
/// <param name="entropy">Chooses nodes.</param>
public sealed class NodePieces(
    StorageNodes nodes,
    BufferPool buffers,
    IBlockCatalogue catalogue,
    ICopyReports reports,
    ChunkOptions? options = null,
    TimeProvider? clock = null,
    IEntropySource? entropy = null) : IPieceSource
{
    readonly TimeProvider clock = clock ?? TimeProvider.System;
    readonly IEntropySource entropy = entropy ?? SystemEntropy.Instance;
    readonly KnownLocations locations = new(catalogue);
    readonly HedgeBudget hedges = new((options ?? new()).HedgePercent, (options ?? new()).MinHedgeDelay);
    readonly TimeSpan readLimit = (options ?? new()).ReadLimit;
    long hedgedReads;

    /// <summary>Reads that were made a second time because the first one took long.</summary>
    public long HedgedReads => Interlocked.Read(ref hedgedReads);

    /// <summary>Asks where blocks are that will be read soon, all at once.</summary>
    public Task LocateAsync(CustomerId customer, IReadOnlyList<BlockName> blocks, CancellationToken cancellationToken = default) =>
        locations.LearnAsync(customer, blocks, cancellationToken);

    /// <inheritdoc />
    public async Task<SharedBuffer> FetchAsync(BlockPiece piece, CancellationToken cancellationToken = default)
    {
        var (holders, isFresh) = await locations.FindAsync(piece.Customer, piece.Block.Name, cancellationToken);
        try
        {
            return await FetchAsync(piece, holders, cancellationToken);
        }
        catch (BlockUnreadableException) when (!isFresh)
        {
            // Copies move. Whoever finds none asks again where they are before it says that there is none.
            locations.Forget(piece.Customer, piece.Block.Name);
            (holders, _) = await locations.FindAsync(piece.Customer, piece.Block.Name, cancellationToken);
            return await FetchAsync(piece, holders, cancellationToken);
        }
    }

    async Task<SharedBuffer> FetchAsync(BlockPiece piece, IReadOnlyList<NodeId> holders, CancellationToken cancellationToken)
    {
        hedges.Begin();
        var left = new Queue<KnownNode>(Order(holders));
        var failures = new List<Exception>();
        foreach (var unknown in holders.Where(id => nodes.Get(id) is null))
            failures.Add(new StorageNodeException(unknown, NodeErrorKind.Unavailable, "the node is not known here"));
        using var losers = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new List<Task<SharedBuffer>>();
        try
        {
            while (true)
            {
                if (running.Count == 0)
                {
                    if (left.Count == 0) throw new BlockUnreadableException(piece.Block.Name, failures);
                    running.Add(ReadAsync(left.Dequeue(), piece, losers.Token));
                }

                var ended = await FirstAsync(running, mayHedge: running.Count == 1 && left.Count > 0, cancellationToken);
                if (ended is null)
                {
                    Interlocked.Increment(ref hedgedReads);
                    running.Add(ReadAsync(left.Dequeue(), piece, losers.Token));
                    continue;
                }

                running.Remove(ended);
                if (ended.IsCompletedSuccessfully) return await ended;
                cancellationToken.ThrowIfCancellationRequested();
                failures.Add(ended.Exception?.InnerException ?? new TaskCanceledException(ended));
            }
        }
        finally
        {
            await losers.CancelAsync();
            foreach (var loser in running) _ = ReleaseAsync(loser);
        }
    }

    // The first that ends, or null when it takes so long that a second one is to be begun.
    async Task<Task<SharedBuffer>?> FirstAsync(List<Task<SharedBuffer>> running, bool mayHedge, CancellationToken cancellationToken)
    {
        var first = Task.WhenAny(running);
        if (!mayHedge) return await first.WaitAsync(cancellationToken);
        if (await IsSlowAsync(first, hedges.Delay, cancellationToken))
        {
            // A node that does not answer at all is not waited for, however slow the others are.
            if (hedges.TryTake() || await IsSlowAsync(first, readLimit, cancellationToken)) return null;
        }

        return await first.WaitAsync(cancellationToken);
    }

    async Task<bool> IsSlowAsync(Task first, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var delay = Task.Delay(limit, clock, enough.Token);
        var isSlow = await Task.WhenAny(first, delay) == delay && !cancellationToken.IsCancellationRequested;
        await enough.CancelAsync();
        return isSlow;
    }

    // Of two that are drawn the one that is likely to answer sooner comes first (the power of two choices), the others by the same measure.
    List<KnownNode> Order(IReadOnlyList<NodeId> holders)
    {
        var order = holders.Select(nodes.Get).OfType<KnownNode>().ToList();
        order.Sort((one, other) => Cost(one).CompareTo(Cost(other)));
        if (order.Count > 2)
        {
            var one = (int)(entropy.NextUInt64() % (ulong)order.Count);
            var other = (int)(entropy.NextUInt64() % (ulong)order.Count);
            var chosen = order[Math.Min(one, other)];
            if (chosen.Health is null or { State: not NodeState.Unavailable })
            {
                order.Remove(chosen);
                order.Insert(0, chosen);
            }
        }

        return order;

        static double Cost(KnownNode node) => node.Health is { State: NodeState.Unavailable } ? double.MaxValue : node.ReadCost;
    }

    async Task<SharedBuffer> ReadAsync(KnownNode node, BlockPiece piece, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var buffer = buffers.Rent();
        node.Begin();
        try
        {
            var begun = clock.GetTimestamp();
            var space = buffer.Space[..piece.LengthBytes];
            var part = await node.Node.ReadAsync(piece.Id, piece.OffsetBytes, space, cancellationToken);
            RequireWhole(node.Id, piece, part, space.Span);
            buffer.LengthBytes = piece.LengthBytes;
            node.Learn(clock.GetElapsedTime(begun));
            hedges.Learn(clock.GetElapsedTime(begun));
            return buffer;
        }
        catch (Exception e)
        {
            buffer.ReleaseAfter(e);

            // Invariant: only what a node has found out is reported. One that does not answer may have its copy.
            if (e is StorageNodeException { IsVerdict: true } verdict)
                reports.Report(
                    piece.Customer, piece.Block.Name, node.Id,
                    verdict.Kind == NodeErrorKind.Damaged ? CopyProblem.Damaged : CopyProblem.Missing);
            throw;
        }
        finally
        {
            node.End();
        }
    }

    // The node has verified it; this is for what lies between.
    static void RequireWhole(NodeId node, BlockPiece piece, BlockPart part, ReadOnlySpan<byte> content)
    {
        var digest = part.Block.Digest;
        if (part.Block.Id != piece.Id
            || digest.LengthBytes != piece.Block.LengthBytes
            || part.LengthBytes != piece.LengthBytes
            || digest.FindDamage(content, piece.OffsetBytes) is not null)
            throw new StorageNodeException(node, NodeErrorKind.Damaged, $"what it sent of {piece.Block.Name} is not the block");
    }

    static async Task ReleaseAsync(Task<SharedBuffer> loser)
    {
        await ((Task)loser).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (loser.IsCompletedSuccessfully) (await loser).Release();
    }
}
