using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    /// <inheritdoc />
    public Task<IReadOnlyList<BlockLocations?>> GetLocationsAsync(
        CustomerId customer, IReadOnlyList<BlockName> blocks, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult<IReadOnlyList<BlockLocations?>>(
            [.. blocks.Select(block => FindBlock(customer, block)?.Locations)]);
    }

    /// <inheritdoc />
    public async Task<BlockLocations?> ReplaceNodesAsync(
        CustomerId customer, BlockName block, ulong expectedVersion, IReadOnlyCollection<NodeId> nodes, int wantedCopies = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        if (nodes.Count == 0) throw new ArgumentException("The last copy of a block is not given up like this.", nameof(nodes));
        cancellationToken.ThrowIfCancellationRequested();
        using var held = await latches.TakeAsync(new LatchSet().Block(customer, block.Hash, isExclusive: true));
        if (FindBlock(customer, block) is not { } present
            || present.Locations.Version != expectedVersion
            || present.Locations.State == BlockState.Deleting)
            return null;
        var batch = new WriteBatch();
        var wanted = Math.Max(present.Locations.WantedCopies, wantedCopies);
        var replaced = Change(present, present.Locations with { Nodes = InOrder(nodes), WantedCopies = wanted });
        PutBlock(batch, present, replaced);
        await WriteAsync(batch);
        return replaced.Locations;
    }

    /// <inheritdoc />
    public async Task<CustomerBlock?> RaiseWantedCopiesAsync(
        CustomerBlock? after, int wantedCopies, int limit, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wantedCopies, byte.MaxValue);
        var page = ReadPage<CustomerBlock>(
            KeyRange.Prefix(MetadataKeys.Table(MetadataKeys.BlockTable)),
            after is { } last ? MetadataKeys.Block(last.Customer, last.Name) : null,
            limit,
            static (row, out item) =>
            {
                item = MetadataKeys.BlockAtEnd(row.Key);
                return true;
            },
            cancellationToken);
        foreach (var low in page.Where(block => FindLow(block, wantedCopies) is not null).Chunk(MaxBlocksAlone))
        {
            var wanted = new LatchSet();
            foreach (var block in low) wanted.Block(block.Customer, block.Name.Hash, isExclusive: true);
            using var held = await latches.TakeAsync(wanted);
            var batch = new WriteBatch();
            foreach (var block in low)
            {
                if (FindLow(block, wantedCopies) is { } present)
                    PutBlock(batch, present, Change(present, present.Locations with { WantedCopies = wantedCopies }));
            }

            if (batch.Count > 0) await WriteAsync(batch);
        }

        return page.Count == 0 ? null : page[^1];
    }

    // The row of a block that should have more copies than it says. Of one that is damaged nobody can say; it is no reason to leave others.
    BlockRow? FindLow(CustomerBlock block, int wantedCopies)
    {
        try
        {
            return FindBlock(block.Customer, block.Name) is { Locations: { State: not BlockState.Deleting } locations } row
                && locations.WantedCopies < wantedCopies ? row : null;
        }
        catch (CorruptDataException)
        {
            return null;
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<BlockLocations>> ListUnderReplicatedAsync(
        BlockLocations? after, int limit, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<BlockLocations>>(ReadPage<BlockLocations>(
            KeyRange.Prefix(MetadataKeys.Table(MetadataKeys.UnderReplicatedTable)),
            after is null ? null : MetadataKeys.UnderReplicated(after.Nodes.Count, new(after.Customer, after.Name)),
            limit,
            SelectBlock,
            cancellationToken,
            isLenient: true));

    /// <inheritdoc />
    public Task<IReadOnlyList<CustomerBlock>> ListBlocksOfNodeAsync(
        NodeId node, CustomerBlock? after, int limit, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<CustomerBlock>>(ReadPage<CustomerBlock>(
            KeyRange.Prefix(MetadataKeys.Node(node)),
            after is { } last ? MetadataKeys.Node(node, last) : null,
            limit,
            static (row, out item) =>
            {
                item = MetadataKeys.BlockAtEnd(row.Key);
                return true;
            },
            cancellationToken));

    /// <inheritdoc />
    public Task<bool> IsPinnedAsync(CustomerId customer, BlockName block, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Exists(KeyRange.Prefix(MetadataKeys.Pins(customer, block))));
    }

    /// <inheritdoc />
    public Task<long> CountReferencesAsync(CustomerId customer, BlockName block, CancellationToken cancellationToken = default)
    {
        var count = 0L;
        using var rows = store.Scan(KeyRange.Prefix(MetadataKeys.References(customer, block)));
        while (rows.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            count++;
        }

        return Task.FromResult(count);
    }

    // The rows of a table of blocks may be a moment older than those of the blocks: what is not true any more is left out.
    bool SelectBlock(KeyValueCursor row, out BlockLocations item)
    {
        var (customer, name) = MetadataKeys.BlockAtEnd(row.Key);
        item = FindBlock(customer, name)?.Locations!;
        return item is not null
            && row.Key.SequenceEqual(
                row.Key[0] == MetadataKeys.DeletingTable && item.State == BlockState.Deleting ? MetadataKeys.Deleting(new(customer, name))
                : IsUnderReplicated(item) ? MetadataKeys.UnderReplicated(item.Nodes.Count, new(customer, name))
                : []);
    }

    BlockRow? FindBlock(CustomerId customer, BlockName block)
    {
        var key = MetadataKeys.Block(customer, block);
        return store.Get(key) is { } row ? Files.Rows.ReadBlock(key, row) : null;
    }

    /// <summary>The generation of a content that files may refer to. There is at most one.</summary>
    BlockRow? FindUsable(CustomerId customer, ContentHash hash)
    {
        BlockRow? found = null;
        using var rows = store.Scan(KeyRange.Prefix(MetadataKeys.BlocksOf(customer, hash)));
        while (rows.MoveNext())
        {
            var block = Files.Rows.ReadBlock(rows.Key, rows.Value);
            if (block.Locations.State == BlockState.Deleting) continue;
            Invariant.Require(found is null);
            found = block;
        }

        return found;
    }

    /// <summary>
    /// Whether a file refers to a block or an upload pins it, as of one moment: a commit makes a reference of a pin without latching the
    /// block, and is not met between the two.
    /// </summary>
    bool IsInUse(CustomerBlock block)
    {
        using var moment = store.CreateSnapshot();
        return Exists(moment, KeyRange.Prefix(MetadataKeys.References(block.Customer, block.Name)))
            || Exists(moment, KeyRange.Prefix(MetadataKeys.Pins(block.Customer, block.Name)));
    }

    static BlockRow Change(BlockRow present, BlockLocations changed, DateTimeOffset? condemnedAt = null) =>
        new(changed with { Version = present.Locations.Version + 1 }, condemnedAt ?? present.CondemnedAt);

    static NodeId[] InOrder(IEnumerable<NodeId> nodes) => [.. nodes.Distinct().Order()];

    static bool IsUnderReplicated(BlockLocations block) =>
        block.State != BlockState.Deleting && block.Nodes.Count < block.WantedCopies;

    /// <summary>
    /// Writes the row of a block with all that it is found by, so that a list never says else than the row: by node, by lack of copies,
    /// by what the collector is to do. The caller has the block's latch alone.
    /// </summary>
    static void PutBlock(WriteBatch batch, BlockRow? before, BlockRow? after)
    {
        var id = (after ?? before)!.Id;
        Invariant.Require(before is null || after is null || before.Id == after.Id);
        var (old, now) = (Derived(before), Derived(after));
        foreach (var key in old.Except(now, StringComparer.Ordinal)) batch.Delete(Convert.FromHexString(key));
        foreach (var key in now.Except(old, StringComparer.Ordinal)) batch.Put(Convert.FromHexString(key), []);
        if (after is null) batch.Delete(MetadataKeys.Block(id.Customer, id.Name));
        else batch.Put(MetadataKeys.Block(id.Customer, id.Name), Files.Rows.Write(after.Locations, after.CondemnedAt));
    }

    static List<string> Derived(BlockRow? block)
    {
        var keys = new List<string>();
        if (block is null) return keys;
        var locations = block.Locations;
        foreach (var node in locations.Nodes) Add(MetadataKeys.Node(node, block.Id));
        if (IsUnderReplicated(locations)) Add(MetadataKeys.UnderReplicated(locations.Nodes.Count, block.Id));
        if (locations.State == BlockState.Condemned) Add(MetadataKeys.Condemned(block.CondemnedAt, block.Id));
        if (locations.State == BlockState.Deleting) Add(MetadataKeys.Deleting(block.Id));
        return keys;

        void Add(byte[] key) => keys.Add(Convert.ToHexStringLower(key));
    }
}
