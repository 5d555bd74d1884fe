using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    const int ForgetPage = 256;

    /// <inheritdoc />
    public Task<IReadOnlyList<CollectionCandidate>> ListIdleAsync(
        TimeSpan idle, CollectionCandidate? after, int limit, CancellationToken cancellationToken = default) =>
        ListCandidates(MetadataKeys.IdleTable, MetadataKeys.Idle, idle, after, limit, cancellationToken);

    /// <inheritdoc />
    public async Task<bool> CondemnAsync(CollectionCandidate block, TimeSpan idle, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var id = block.Block;
        using var held = await latches.TakeAsync(new LatchSet().Block(id.Customer, id.Name.Hash, isExclusive: true));
        var present = FindBlock(id.Customer, id.Name);
        // Whoever takes back the last pin or reference lists the block anew, so it may be forgotten while it has one.
        var isInUse = IsInUse(id);
        var mayBeCondemned = present?.Locations.State == BlockState.Live && !isInUse;
        var now = Now;
        if (mayBeCondemned && (block.Since > now - idle || present!.Locations.LastUsedAt > now - idle)) return false;
        var batch = new WriteBatch { MayUseReserve = true };
        batch.Delete(MetadataKeys.Idle(block.Since, id));
        if (mayBeCondemned)
            PutBlock(batch, present, Change(present!, present!.Locations with { State = BlockState.Condemned }, condemnedAt: now));
        await WriteAsync(batch);
        return mayBeCondemned;
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<CollectionCandidate>> ListCondemnedAsync(
        TimeSpan condemned, CollectionCandidate? after, int limit, CancellationToken cancellationToken = default) =>
        ListCandidates(MetadataKeys.CondemnedTable, MetadataKeys.Condemned, condemned, after, limit, cancellationToken);

    /// <inheritdoc />
    public async Task<BlockLocations?> BeginDeletionAsync(
        CollectionCandidate block, TimeSpan condemned, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var id = block.Block;
        using var held = await latches.TakeAsync(new LatchSet().Block(id.Customer, id.Name.Hash, isExclusive: true));
        if (FindBlock(id.Customer, id.Name) is not { Locations.State: BlockState.Condemned } present) return null;
        // Tested again: a pin alone stops the deletion, whatever the periods are.
        var isInUse = IsInUse(id);
        if (!isInUse && present.CondemnedAt > Now - condemned) return null;
        var state = isInUse ? BlockState.Live : BlockState.Deleting;
        var changed = Change(present, present.Locations with { State = state });
        var batch = new WriteBatch { MayUseReserve = true };
        PutBlock(batch, present, changed);
        await WriteAsync(batch);
        return isInUse ? null : changed.Locations;
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<BlockLocations>> ListDeletingAsync(
        CustomerBlock? after, int limit, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<BlockLocations>>(ReadPage<BlockLocations>(
            KeyRange.Prefix(MetadataKeys.Table(MetadataKeys.DeletingTable)),
            after is { } last ? MetadataKeys.Deleting(last) : null,
            limit,
            SelectBlock,
            cancellationToken,
            isLenient: true));

    /// <inheritdoc />
    public async Task<bool> FinishDeletionAsync(
        CustomerBlock block, IReadOnlyCollection<NodeId> removedFrom, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(removedFrom);
        cancellationToken.ThrowIfCancellationRequested();
        using var held = await latches.TakeAsync(new LatchSet().Block(block.Customer, block.Name.Hash, isExclusive: true));
        if (FindBlock(block.Customer, block.Name) is not { } present) return true;
        if (present.Locations.State != BlockState.Deleting) return false;
        var left = InOrder(present.Locations.Nodes.Except(removedFrom));
        var batch = new WriteBatch { MayUseReserve = true };
        PutBlock(batch, present, left.Length == 0 ? null : Change(present, present.Locations with { Nodes = left }));
        await WriteAsync(batch);
        return left.Length == 0;
    }

    /// <inheritdoc />
    public async Task<int> ForgetNodeAsync(NodeId node, CancellationToken cancellationToken = default)
    {
        var count = 0;
        CustomerBlock? last = null;
        while (await ListBlocksOfNodeAsync(node, last, ForgetPage, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var block in page)
            {
                last = block;
                if (FindBlock(block.Customer, block.Name) is not { Locations.State: BlockState.Deleting }) continue;
                await FinishDeletionAsync(block, [node], cancellationToken);
                count++;
            }
        }

        return count;
    }

    /// <inheritdoc />
    public async Task<int> AdoptStrangersAsync(
        CustomerId customer, NodeId node, IReadOnlyList<FileBlock> blocks, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        cancellationToken.ThrowIfCancellationRequested();
        // Numbers are given once: one that was given, and has no row, was a customer of this store, and what it left goes as well.
        if (customer.Value == 0 || customer.Value >= Volatile.Read(ref nextCustomer)) throw new CustomerNotFoundException(customer);
        var wanted = new LatchSet();
        foreach (var block in blocks) wanted.Block(customer, block.Name.Hash, isExclusive: true);
        using var held = await latches.TakeAsync(wanted);
        var batch = new WriteBatch { MayUseReserve = true };
        var count = 0;
        foreach (var block in blocks.DistinctBy(block => block.Name))
        {
            var id = new CustomerBlock(customer, block.Name);
            var present = FindBlock(customer, block.Name);
            if (present is { Locations: var of } && (of.State != BlockState.Deleting || of.Nodes.Contains(node))) continue;
            if (present is null && IsInUse(id)) continue;
            PutBlock(batch, present, present is { Locations: var row }
                ? Change(present, row with { Nodes = InOrder(row.Nodes.Append(node)) })
                : Surplus(id, block.LengthBytes, [node]));
            count++;
        }

        if (count > 0) await WriteAsync(batch);
        return count;
    }

    Task<IReadOnlyList<CollectionCandidate>> ListCandidates(
        byte table, Func<DateTimeOffset, CustomerBlock, byte[]> key, TimeSpan age, CollectionCandidate? after, int limit,
        CancellationToken cancellationToken)
    {
        // Sorted by time: what is younger lies behind.
        var end = Now - age + TimeSpan.FromMicroseconds(1);
        if (end < DateTimeOffset.UnixEpoch) return Task.FromResult<IReadOnlyList<CollectionCandidate>>([]);
        var range = KeyRange.Between(MetadataKeys.Table(table), key(end, default).AsSpan(0, 1 + sizeof(ulong)));
        return Task.FromResult<IReadOnlyList<CollectionCandidate>>(ReadPage<CollectionCandidate>(
            range,
            after is { } last ? key(last.Since, last.Block) : null,
            limit,
            static (row, out item) =>
            {
                item = new(MetadataKeys.BlockAtEnd(row.Key), RowTime.FromMicroseconds((long)MetadataKeys.WordAt(row.Key, 0)));
                return true;
            },
            cancellationToken));
    }
}
