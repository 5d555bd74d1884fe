using System.Collections.Concurrent;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>The storage nodes that a chunk manager works with, and what it knows of each. Any thread.</summary>
public sealed class StorageNodes(TimeProvider? clock = null, ChunkOptions? options = null)
{
    // A node that has no room for a whole block is left alone as long as there are others: what comes may be one.
    static readonly long FullBlockBytes = NodeUpload.SpaceBytes(BlockGeometry.MaxLengthBytes);

    // So long nothing new is placed on a node that has failed, unless there is no other.
    static readonly TimeSpan AvoidFor = TimeSpan.FromSeconds(10);

    readonly ConcurrentDictionary<NodeId, KnownNode> known = new();
    readonly ConcurrentDictionary<NodeId, bool> gone = new();
    readonly TimeProvider clock = clock ?? TimeProvider.System;
    readonly ChunkOptions options = options ?? new();
    int growths, growthsSeen = -1;

    /// <summary>How many belong to the store, whether they can be used or not.</summary>
    public int Count => Members.Count();

    /// <summary>Those that are known, whether they are open or not.</summary>
    public IEnumerable<NodeId> Ids => known.Keys;

    /// <summary>Held by whoever decides about the copies of a block.</summary>
    internal BlockLatches Latches { get; } = new();

    /// <summary>Blocks whose copies are not believed by what their trailers say.</summary>
    internal DoubtfulBlocks Doubts { get; } = new();

    /// <summary>Blocks of which no copy could be read.</summary>
    internal UnreadableBlocks Unreadable { get; } = new(clock);

    internal ICollection<KnownNode> All => known.Values;

    int KnownDomains => DomainsOf(Members.Where(node => node.IsDomainKnown));

    IEnumerable<KnownNode> Members => All.Where(node => node.IsMember);

    /// <summary>
    /// Says that a node belongs to the store, open or not: as many copies are made, and waited for, as the nodes that belong to it can
    /// have. So all of them are registered before the first one is used: one that is missing when the program starts counts as well.
    /// </summary>
    /// <param name="id">The node.</param>
    /// <param name="failureDomain">
    /// What is lost together has the same: a rack, a power strip. Empty for the file system that the node is on, or else itself.
    /// </param>
    /// <param name="isMember">False for one that does not belong to it any more: it is read from, and counts for nothing.</param>
    public void Register(NodeId id, string failureDomain = "", bool isMember = true)
    {
        ArgumentNullException.ThrowIfNull(failureDomain);
        var node = known.GetOrAdd(id, static id => new KnownNode(new AbsentNode(id)));
        node.Label = failureDomain;
        SetMember(node, isMember);
        gone.TryRemove(id, out _);
    }

    /// <summary>Adds a node that was opened. One that was not registered is.</summary>
    /// <param name="node">The node.</param>
    /// <param name="failureDomain">As for <see cref="Register"/>; null leaves what was said there.</param>
    /// <exception cref="ArgumentException">It is there already.</exception>
    public void Add(IStorageNode node, string? failureDomain = null)
    {
        ArgumentNullException.ThrowIfNull(node);
        var limited = new LimitedNode(node, options, clock);
        var present = known.GetOrAdd(node.Id, static (_, added) => new KnownNode(added), limited);
        var isNew = present.Node == limited;
        if (!isNew)
        {
            if (present.IsOpen) throw new ArgumentException($"Storage node {node.Id} is there already.", nameof(node));
            present.Become(limited);
        }

        if (failureDomain is not null) present.Label = failureDomain;
        if (isNew | gone.TryRemove(node.Id, out _)) SetMember(present, true);
    }

    /// <summary>Says that a node is not open any more. It goes on belonging to the store, and can be added again.</summary>
    public void Detach(NodeId id)
    {
        if (known.TryGetValue(id, out var node)) node.Become(new AbsentNode(id));
    }

    /// <summary>Forgets a node: it does not belong to the store any more. What it holds stays with it.</summary>
    public void Remove(NodeId id) => known.TryRemove(id, out _);

    /// <summary>
    /// Says that a node will not come back: it does not belong to the store any more, and its copies are to be made elsewhere at once.
    /// </summary>
    public void MarkGone(NodeId id)
    {
        gone[id] = true;
        if (known.TryGetValue(id, out var node)) node.IsMember = false;
    }

    /// <summary>
    /// Whether the copies of a node are to be made elsewhere: it does not belong to the store any more, or it has not been there, or took
    /// nothing, for long enough. One that is not known here is not lost: its disk may not have been found yet.
    /// </summary>
    public bool IsLost(NodeId id) => gone.ContainsKey(id)
        || (known.TryGetValue(id, out var node)
            && (!node.IsMember || (node.DownSince is { } since && clock.GetElapsedTime(since) >= options.LostAfter)));

    /// <summary>Whether a node belongs to the store: what others have counts for nothing.</summary>
    public bool IsMember(NodeId id) => known.TryGetValue(id, out var node) && node.IsMember;

    /// <summary>Whether a node is read from only, because it is to be emptied.</summary>
    public bool IsDraining(NodeId id) => known.TryGetValue(id, out var node) && node.IsDraining;

    /// <summary>Says whether a node is read from only. Nothing changes for one that is not known.</summary>
    public void SetDraining(NodeId id, bool isDraining)
    {
        if (!known.TryGetValue(id, out var node)) return;
        if (node.IsDraining && !isDraining) Interlocked.Increment(ref growths);
        node.IsDraining = isDraining;
    }

    /// <summary>A node, which is not waited for without end; null for one that is not known.</summary>
    public IStorageNode? Find(NodeId id) => known.GetValueOrDefault(id)?.Node;

    /// <summary>What the nodes say about themselves, as of a moment ago; one that does not answer is unavailable.</summary>
    public async Task<IReadOnlyDictionary<NodeId, NodeHealth>> GetHealthAsync(CancellationToken cancellationToken = default)
    {
        await RefreshAsync(cancellationToken);
        return All.ToDictionary(node => node.Id, node => node.Health ?? Unknown);
    }

    /// <summary>What is kept of the redundancy that is wanted, and what could be lost.</summary>
    public async Task<Redundancy> GetRedundancyAsync(CancellationToken cancellationToken = default)
    {
        await RefreshAsync(cancellationToken);
        return new Redundancy(Count, All.Count(IsUsable), KnownDomains, Math.Min(options.Copies, Count), QuorumCopies)
        {
            MayHaveFewer = GrowthsSeen >= 0 && HasGrown,
        };
    }

    internal KnownNode? Get(NodeId id) => known.GetValueOrDefault(id);

    /// <summary>Copies that have to be durable before a block is acknowledged.</summary>
    internal int QuorumCopies => Math.Min(options.Quorum, Math.Max(1, Count));

    /// <summary>Failure domains that those copies have to be in: of what is not known to be one none is asked for.</summary>
    internal int QuorumDomains => Math.Min(QuorumCopies, Math.Max(1, KnownDomains));

    /// <summary>Copies that a block should have: where there are fewer nodes, one on each.</summary>
    internal int WantedCopies => Math.Min(options.Copies, Math.Max(1, Count));

    /// <summary>
    /// Copies that a block should have at least, also one that was written when there were fewer nodes. One that is being emptied will not
    /// be among them: who replaces a node by another one is not to be told that there are too few.
    /// </summary>
    internal int LeastCopies => Math.Min(options.Copies, Math.Max(1, Members.Count(node => !node.IsDraining)));

    /// <summary>Copies that a block should have.</summary>
    internal int WantedCopiesOf(BlockLocations block) => Math.Max(block.WantedCopies, LeastCopies);

    /// <summary>Whether nodes came since all older blocks were looked at, or nobody has looked since the program began.</summary>
    public bool HasGrown => Growths != GrowthsSeen;

    /// <summary>Grows when a node comes to belong to the store: then older blocks may be wanted more often than their rows say.</summary>
    internal int Growths => Volatile.Read(ref growths);

    /// <summary>What that was when all older blocks were raised last.</summary>
    internal int GrowthsSeen
    {
        get => Volatile.Read(ref growthsSeen);
        set => Volatile.Write(ref growthsSeen, value);
    }

    /// <summary>Nodes that a block may be put on, best first, none of them twice.</summary>
    internal async Task<List<KnownNode>> ChooseAsync(
        IEntropySource entropy, IReadOnlyCollection<NodeId> without, IEnumerable<string> usedDomains, long neededBytes,
        CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        var candidates = All
            .Where(node => IsUsable(node) && !without.Contains(node.Id))
            .Where(node => node.Health!.FreeBytes >= neededBytes)
            .Select(node => new PlacementCandidate(
                node.Id, node.Domain, node.Health!.FreeBytes, node.Outstanding + node.Health.QueueLength,
                IsAvoided(node) || node.Health.FreeBytes < FullBlockBytes))
            .ToArray();
        return [.. Placement.Order(candidates, usedDomains, entropy).Select(id => Get(id)).OfType<KnownNode>()];
    }

    internal void Avoid(KnownNode node) => node.AvoidedSince = clock.GetTimestamp();

    static NodeHealth Unknown { get; } =
        new(NodeState.Unavailable, "it was not asked yet", 0, 0, default, default, default, 0, "");

    static bool IsUsable(KnownNode node) => node.Health?.State == NodeState.Up && node.IsMember && !node.IsDraining;

    internal static int DomainsOf(IEnumerable<KnownNode> nodes) =>
        nodes.Select(node => node.Domain).Distinct(StringComparer.Ordinal).Count();

    void SetMember(KnownNode node, bool isMember)
    {
        if (isMember && !node.IsMember) Interlocked.Increment(ref growths);
        node.IsMember = isMember;
    }

    bool IsAvoided(KnownNode node) => node.AvoidedSince is { } since && clock.GetElapsedTime(since) < AvoidFor;

    Task RefreshAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(All.Where(IsStale).Select(node => node.RefreshAsync(clock))).WaitAsync(cancellationToken);

    bool IsStale(KnownNode node) => node.HealthAt is not { } at || clock.GetElapsedTime(at) >= options.HealthPeriod;
}

/// <summary>What is kept of the redundancy that is wanted.</summary>
/// <param name="Nodes">Nodes that belong to the store.</param>
/// <param name="UsableNodes">Nodes that take blocks.</param>
/// <param name="FailureDomains">Domains that the nodes are in, as far as that is known.</param>
/// <param name="Copies">Copies that new blocks get.</param>
/// <param name="AcknowledgedCopies">Copies that are durable when a block is acknowledged.</param>
public sealed record Redundancy(int Nodes, int UsableNodes, int FailureDomains, int Copies, int AcknowledgedCopies)
{
    /// <summary>Whether nodes were added since repair has looked at blocks that were written when there were fewer.</summary>
    public bool MayHaveFewer { get; init; }

    /// <summary>What that means, in words for people; null where nothing is at risk by it.</summary>
    public string? Risk => (Nodes, FailureDomains, UsableNodes) switch
    {
        (0, _, _) => "There is no storage node: nothing can be stored.",
        (1, _, 0) => "The one storage node takes no blocks: nothing can be stored.",
        (1, _, _) => "There is one storage node: files are stored once, and lost with its disk.",
        _ when UsableNodes < AcknowledgedCopies =>
            $"{UsableNodes} of {Nodes} storage nodes take blocks, and {AcknowledgedCopies} are needed: nothing can be stored.",
        (_, 1, _) => "All storage nodes are in one failure domain (one disk, say): all copies of a file are lost with it.",
        _ when UsableNodes < Copies =>
            $"{UsableNodes} of {Nodes} storage nodes take blocks: new files have {UsableNodes} copies instead of {Copies}.",
        (2, _, _) => "There are two storage nodes: nothing can be stored while one of them is away.",
        _ when MayHaveFewer => "Files that were written when there were fewer storage nodes may have fewer copies until repair has run.",
        _ => null,
    };
}
