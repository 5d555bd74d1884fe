using System.Collections.Concurrent;
using Ashlar.Files.Tests.Nodes;

namespace Ashlar.Files.Tests.Chunks;

/// <summary>Where blocks are, in memory.</summary>
sealed class CatalogueOfTests : IBlockCatalogue
{
    readonly Lock gate = new();
    readonly SortedDictionary<BlockName, BlockLocations> rows = [];

    /// <summary>Questions for locations.</summary>
    public int Questions { get; private set; }

    /// <summary>Comes before a row is replaced, to be faster.</summary>
    public Action? BeforeReplace { get; set; }

    /// <summary>Copies of the block that has the fewest.</summary>
    public int FewestCopies
    {
        get
        {
            lock (gate) return rows.Values.Min(row => row.Nodes.Count);
        }
    }

    public BlockLocations this[BlockName name]
    {
        get
        {
            lock (gate) return rows[name];
        }
    }

    public void Put(StoredCopies copies) => Put(copies.Name, copies.LengthBytes, copies.WantedCopies, copies.Durable);

    public void Put(BlockName name, int length, int wanted, IEnumerable<NodeId> nodes, BlockState state = BlockState.Live)
    {
        lock (gate)
        {
            rows[name] = new BlockLocations
            {
                Customer = NodeExtensions.Owner,
                Name = name,
                LengthBytes = length,
                State = state,
                WantedCopies = wanted,
                Nodes = [.. nodes.Order()],
                Version = 1 + (rows.TryGetValue(name, out var before) ? before.Version : 0),
                LastUsedAt = default,
            };
        }
    }

    /// <summary>Comes before a question is answered, and may wait.</summary>
    public Func<string, Task>? Gate { get; set; }

    public async Task<IReadOnlyList<BlockLocations?>> GetLocationsAsync(
        CustomerId customer, IReadOnlyList<BlockName> blocks, CancellationToken cancellationToken = default)
    {
        if (Gate is { } wait) await wait("locations");
        lock (gate)
        {
            Questions++;
            if (Stale is { } stale && blocks.SequenceEqual([stale.Name])) return [stale];
            return [.. blocks.Select(block => customer == NodeExtensions.Owner ? rows.GetValueOrDefault(block) : null)];
        }
    }

    /// <summary>Blocks that an upload has pinned.</summary>
    public HashSet<BlockName> Pinned { get; } = [];

    /// <summary>What is answered instead of the row that it is of.</summary>
    public BlockLocations? Stale { get; set; }

    /// <summary>An upload pins a block.</summary>
    public void Pin(BlockName name)
    {
        lock (gate) Pinned.Add(name);
    }

    /// <summary>A block is forgotten.</summary>
    public void Remove(BlockName name)
    {
        lock (gate) rows.Remove(name);
    }

    /// <summary>An upload commits: the copy is recorded and the pin goes, in one transaction.</summary>
    public void Commit(BlockName name, NodeId more)
    {
        lock (gate)
        {
            var row = rows[name];
            Put(name, row.LengthBytes, row.WantedCopies, row.Nodes.Append(more).Distinct());
            Pinned.Remove(name);
        }
    }

    /// <summary>Comes before somebody is told whether a block is pinned.</summary>
    public Action? BeforePinned { get; set; }

    public async Task<bool> IsPinnedAsync(CustomerId customer, BlockName block, CancellationToken cancellationToken = default)
    {
        if (Gate is { } wait) await wait("pinned");
        BeforePinned?.Invoke();
        lock (gate) return Pinned.Contains(block);
    }

    public Task<long> CountReferencesAsync(CustomerId customer, BlockName block, CancellationToken cancellationToken = default) =>
        Task.FromResult(1L);

    public Task<BlockLocations?> ReplaceNodesAsync(
        CustomerId customer, BlockName block, ulong expectedVersion, IReadOnlyCollection<NodeId> nodes, int wantedCopies = 0,
        CancellationToken cancellationToken = default)
    {
        BeforeReplace?.Invoke();
        lock (gate)
        {
            if (nodes.Count == 0) throw new ArgumentException("No node is left.", nameof(nodes));
            if (!rows.TryGetValue(block, out var row) || row.Version != expectedVersion) return Task.FromResult<BlockLocations?>(null);
            Put(block, row.LengthBytes, Math.Max(row.WantedCopies, wantedCopies), nodes, row.State);
            return Task.FromResult<BlockLocations?>(rows[block]);
        }
    }

    public Task<CustomerBlock?> RaiseWantedCopiesAsync(
        CustomerBlock? after, int wantedCopies, int limit, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            var low = rows.Values.Where(row => after is null && row.WantedCopies < wantedCopies).ToArray();
            foreach (var row in low) Put(row.Name, row.LengthBytes, wantedCopies, row.Nodes, row.State);
            return Task.FromResult(low.Length == 0 ? default(CustomerBlock?) : low[^1].Id);
        }
    }

    public Task<IReadOnlyList<BlockLocations>> ListUnderReplicatedAsync(
        BlockLocations? after, int limit, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            var order = rows.Values
                .Where(row => row.Nodes.Count < row.WantedCopies)
                .OrderBy(row => row.Nodes.Count)
                .ThenBy(row => row.Name);
            return Task.FromResult<IReadOnlyList<BlockLocations>>(
                [
                    .. order
                        .Where(row => after is null || (row.Nodes.Count, row.Name).CompareTo((after.Nodes.Count, after.Name)) > 0)
                        .Take(limit),
                ]);
        }
    }

    public Task<IReadOnlyList<CustomerBlock>> ListBlocksOfNodeAsync(
        NodeId node, CustomerBlock? after, int limit, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            return Task.FromResult<IReadOnlyList<CustomerBlock>>(
                [
                    .. rows.Values
                        .Where(row => row.Nodes.Contains(node) && (after is not { } last || row.Name > last.Name))
                        .Select(row => new CustomerBlock(row.Customer, row.Name))
                        .Take(limit),
                ]);
        }
    }
}

/// <summary>What was reported.</summary>
sealed class ReportsOfTests : ICopyReports
{
    public ConcurrentQueue<(BlockName Block, NodeId Node, CopyProblem Problem)> All { get; } = new();

    public void Report(CustomerId customer, BlockName block, NodeId node, CopyProblem problem) => All.Enqueue((block, node, problem));
}
