using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Removes what nothing refers to: uploads that have ended without a file, then blocks, in small steps that each decide by what is there
/// in that moment. It holds no state, so it may die anywhere, and several may work at a time.
/// </summary>
/// <remarks>
/// <para><b>Invariant I1 (safety).</b> At every instant, for every block (hash, generation) named by a committed file: its row is in state
/// LIVE, its location set was made durable on at least W=2 nodes in two failure domains before the commit, and no node may remove its
/// copy unless (a) the row is in state DELETING with the same generation, or (b) the location row lists at least R verified other
/// copies and no longer lists this node.</para>
/// <para><b>I2 (no leak forever).</b> Every block, temp file or pin not named by a committed file is reachable from an intent row with a
/// deadline, or is found by a sweep; it disappears in bounded time.</para>
/// <para><b>I3 (order).</b> pin, then data durable, then commit, then un-pin; delete goes entry, then reference, then block row, then
/// replica. Crash anywhere leaves only surplus, never a dangling name.</para>
/// <para>Removing a replica comes last here: a block is DELETING, durably, before any node is told, and its row goes when all have
/// acknowledged. Periods are defence in depth: with none at all the pins alone decide every race with an upload.</para>
/// </remarks>
public sealed class Collector(IMetadataStore metadata, IBlockHolders holders, CollectorOptions? options = null)
{
    readonly CollectorOptions options = options ?? new();
    readonly Pace pace = new((options ?? new()).TimeProvider, (options ?? new()).StepsPerSecond);

    /// <summary>Whether it takes no further step until this is false again.</summary>
    public bool IsPaused
    {
        get => pace.IsPaused;
        set => pace.IsPaused = value;
    }

    /// <summary>One pass over all that there is to do.</summary>
    public async Task<CollectionReport> RunAsync(CancellationToken cancellationToken = default)
    {
        var damage = new Damage(metadata.DamagedRows);
        var released = await ReleaseIntentsAsync(damage, cancellationToken);
        var condemned = await StepAsync(
            last => metadata.ListIdleAsync(options.Grace, last, options.PageRows, cancellationToken),
            block => metadata.CondemnAsync(block, options.Grace, cancellationToken),
            damage,
            cancellationToken);
        var deleting = await StepAsync(
            last => metadata.ListCondemnedAsync(options.CondemnedFor, last, options.PageRows, cancellationToken),
            async block => await metadata.BeginDeletionAsync(block, options.CondemnedFor, cancellationToken) is not null,
            damage,
            cancellationToken);
        var (deleted, deletedBytes, waiting) = await DeleteAsync(damage, cancellationToken);
        var purged = await PurgeAsync(cancellationToken);
        var damaged = damage.Count + (int)(metadata.DamagedRows - damage.ListedBefore);
        return new(released, condemned, deleting, deleted, waiting, purged, damaged, deletedBytes);
    }

    // Uploads whose lease has ended cannot commit any more; what they pinned and wrote goes the way of everything else.
    async Task<int> ReleaseIntentsAsync(Damage damage, CancellationToken cancellationToken)
    {
        var released = 0;
        IntentToken? last = null;
        while (await metadata.ListIntentsAsync(null, last, onlyEnded: true, options.PageRows, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var intent in page)
            {
                try
                {
                    var isDone = false;
                    while (!isDone)
                    {
                        await pace.NextAsync(cancellationToken);
                        isDone = await metadata.ReleaseIntentAsync(intent.Token, holders.Nodes, cancellationToken);
                    }

                    released++;
                }
                catch (IntentLostException)
                {
                    // Opened anew since it was listed.
                }
                catch (CorruptDataException)
                {
                    damage.Count++;
                }
            }

            last = page[^1].Token;
        }

        return released;
    }

    async Task<int> StepAsync(
        Func<CollectionCandidate?, Task<IReadOnlyList<CollectionCandidate>>> list, Func<CollectionCandidate, Task<bool>> step,
        Damage damage, CancellationToken cancellationToken)
    {
        // By key, so that what stays in the list is met once in a pass, and not read again for each page.
        var taken = 0;
        CollectionCandidate? last = null;
        while (await list(last) is { Count: > 0 } page)
        {
            foreach (var block in page)
            {
                await pace.NextAsync(cancellationToken);
                try
                {
                    if (await step(block)) taken++;
                }
                catch (CorruptDataException)
                {
                    damage.Count++;
                }
            }

            last = page[^1];
        }

        return taken;
    }

    // What lay long enough in the trash of a node gives its space back.
    async Task<int> PurgeAsync(CancellationToken cancellationToken)
    {
        var purged = 0;
        foreach (var node in holders.Nodes)
        {
            while (true)
            {
                await pace.NextAsync(cancellationToken);
                var count = await holders.PurgeAsync(node, options.PageRows, cancellationToken);
                purged += count;
                if (count < options.PageRows) break;
            }
        }

        return purged;
    }

    async Task<(int Deleted, long Bytes, int Waiting)> DeleteAsync(Damage damage, CancellationToken cancellationToken)
    {
        var (deleted, bytes, waiting) = (0, 0L, 0);
        CustomerBlock? last = null;
        while (await metadata.ListDeletingAsync(last, options.PageRows, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var block in page)
            {
                var removed = new List<NodeId>();
                foreach (var node in block.Nodes)
                {
                    await pace.NextAsync(cancellationToken);
                    if (await holders.RemoveAsync(node, block.Id, cancellationToken)) removed.Add(node);
                }

                last = block.Id;
                try
                {
                    if (removed.Count > 0 && await metadata.FinishDeletionAsync(block.Id, removed, cancellationToken))
                        (deleted, bytes) = (deleted + 1, bytes + block.LengthBytes);
                    else waiting++;
                }
                catch (CorruptDataException)
                {
                    damage.Count++;
                }
            }
        }

        return (deleted, bytes, waiting);
    }

    /// <summary>What a pass cannot read, and goes on behind: the rest would never be looked after.</summary>
    sealed class Damage(long listedBefore)
    {
        public long ListedBefore => listedBefore;

        public int Count { get; set; }
    }
}
