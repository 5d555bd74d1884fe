using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>Makes the copies of one block durable, and finds other nodes for those that fail.</summary>
/// <param name="chunks">The nodes.</param>
/// <param name="copies">Copies that are on their way.</param>
/// <param name="stored">Hears of what becomes durable.</param>
/// <param name="holders">Nodes that have it already.</param>
sealed class CopyRun(
    ChunkManager chunks, IReadOnlyList<CopyStream> copies, StoredCopies stored, IReadOnlyCollection<NodeId> holders)
{
    readonly TaskCompletionSource<StoredCopies> enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly HashSet<NodeId> tried = [.. holders, .. copies.Select(copy => copy.Node.Id)];
    readonly int quorum = chunks.Nodes.QuorumCopies, domains = chunks.Nodes.QuorumDomains;

    /// <summary>Ends when enough copies are durable, or cannot be had.</summary>
    public Task<StoredCopies> Enough => enough.Task;

    /// <summary>Ends when nothing more is done for the block.</summary>
    public async Task RunAsync()
    {
        try
        {
            await MakeAsync();
        }
        catch (Exception bug)
        {
            enough.TrySetException(bug);
        }
        finally
        {
            var found = DomainsOf(Durable).Distinct(StringComparer.Ordinal).Count();
            enough.TrySetException(chunks.NotEnough(Durable.Count(), found, stored.Failures, tried));
            _ = enough.Task.Exception; // Whoever asked may have left.
            stored.Complete();
        }
    }

    // Holders first. More than are wanted are not made: copies that are on their way to a node that has one, or are too many, end here.
    IEnumerable<NodeId> Durable => holders.Concat(stored.Durable);

    async Task MakeAsync()
    {
        var lacking = Math.Max(0, stored.WantedCopies - holders.Count);
        var open = copies.Where(copy => !holders.Contains(copy.Node.Id)).Take(lacking).ToArray();
        foreach (var copy in copies.Except(open)) _ = EndAsync(copy);
        var running = open.Select(copy => AttemptAsync(copy.Node, () => InstallAsync(copy))).ToList();
        while (true)
        {
            if (HasQuorum()) enough.TrySetResult(stored);
            if (running.Count == 0)
            {
                // A copy on another node is read from one that is durable: the bytes are nowhere else any more.
                if (!Durable.Any() || (Durable.Count() >= stored.WantedCopies && HasQuorum())) return;
                if (await NextAsync() is not { } next) return;
                running.Add(AttemptAsync(next, () => CopyAsync(next)));
            }

            var ended = await Task.WhenAny(running);
            running.Remove(ended);

            // One that has failed is replaced at once, not when the others have ended.
            if (!await ended && Durable.Any() && await NextAsync() is { } other)
                running.Add(AttemptAsync(other, () => CopyAsync(other)));
        }
    }

    // Invariant: nothing is acknowledged on fewer nodes, or failure domains, than the rule says.
    bool HasQuorum()
    {
        var durable = Durable.ToArray();
        Invariant.Require(durable.Distinct().Count() == durable.Length); // A node counts once.
        return durable.Length >= quorum && DomainsOf(durable).Distinct(StringComparer.Ordinal).Count() >= domains;
    }

    IEnumerable<string> DomainsOf(IEnumerable<NodeId> ids) => ids.Select(chunks.Nodes.Get).OfType<KnownNode>().Select(node => node.Domain);

    async Task<KnownNode?> NextAsync()
    {
        var used = DomainsOf(Durable).ToHashSet(StringComparer.Ordinal);
        var choice = await chunks.Nodes.ChooseAsync(chunks.Entropy, tried, used, NodeUpload.SpaceBytes(stored.LengthBytes), default);

        // More copies in the same domains than are wanted make nothing safer.
        var next = choice.Find(node => Durable.Count() < stored.WantedCopies || !used.Contains(node.Domain));
        if (next is not null) tried.Add(next.Id);
        return next;
    }

    async Task<bool> AttemptAsync(KnownNode node, Func<Task> attempt)
    {
        node.Begin();
        try
        {
            // What is late all the same is a copy that nobody knows of, until repair looks for it.
            await attempt().WaitAsync(chunks.Options.InstallLimit, chunks.Clock);
            stored.Add(node.Id);
            return true;
        }
        catch (Exception failure)
        {
            stored.Add(
                failure is TimeoutException
                    ? new StorageNodeException(node.Id, NodeErrorKind.Unavailable, "it did not answer in time", failure)
                    : failure);
            chunks.Nodes.Avoid(node);
            return false;
        }
        finally
        {
            node.End();
        }
    }

    async Task InstallAsync(CopyStream copy)
    {
        try
        {
            await copy.FinishAsync();
            await BusyNode.InsistAsync(
                () => copy.Node.Node.InstallAsync(copy.Ticket, stored.Block, stored.Digest, default),
                chunks.Options.InstallLimit,
                chunks.Clock);
        }
        catch
        {
            await BlockCopy.AbortAsync(copy.Node.Node, copy.Ticket);
            throw;
        }
    }

    async Task CopyAsync(KnownNode target)
    {
        // What was just made first: holders may be where the trouble is.
        var source = stored.Durable.Concat(holders).Select(chunks.Nodes.Get).OfType<KnownNode>().First();
        await BlockCopy.RunAsync(source.Node, target.Node, stored.Block, chunks.Buffers, null, default, chunks.Clock);
    }

    static async Task EndAsync(CopyStream copy)
    {
        copy.GiveUp(new OperationCanceledException("The node has a copy already, or there are enough."));
        await ((Task)copy.FinishAsync()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await BlockCopy.AbortAsync(copy.Node.Node, copy.Ticket);
    }
}
