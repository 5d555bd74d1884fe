using System.Collections.Concurrent;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Stores blocks on distinct nodes, and reads them from any. What is durable where is its answer, which whoever commits records; what
/// becomes durable after that it records itself.
/// </summary>
public sealed class ChunkManager : IChunkManager
{
    // What is reserved for a block of which nothing came yet, whatever was announced: who announces much and sends nothing keeps space from
    // others that it does not pay for.
    const int FirstBytes = 1 << 20;

    readonly IPieceSource pieces;
    readonly BlocksReader reader;
    readonly LateCopies? late;
    readonly ConcurrentDictionary<Task, bool> underWay = new();

    /// <summary>Creates it.</summary>
    /// <param name="nodes">The nodes.</param>
    /// <param name="buffers">Memory that all uploads and downloads share.</param>
    /// <param name="pieces">Where blocks are read from: the nodes, or caches in front of them.</param>
    /// <param name="options">How many copies there are.</param>
    /// <param name="clock">What time it is.</param>
    /// <param name="entropy">Chooses nodes.</param>
    /// <param name="catalogue">Where copies are recorded that become durable after a commit; null leaves that to repair.</param>
    public ChunkManager(
        StorageNodes nodes,
        BufferPool buffers,
        IPieceSource pieces,
        ChunkOptions? options = null,
        TimeProvider? clock = null,
        IEntropySource? entropy = null,
        IBlockCatalogue? catalogue = null)
    {
        late = catalogue is null ? null : new LateCopies(nodes, catalogue);
        (Nodes, Buffers, Entropy, this.pieces) = (nodes, buffers, entropy ?? SystemEntropy.Instance, pieces);
        (Options, Clock) = (options ?? new(), clock ?? TimeProvider.System);
        reader = new BlocksReader(pieces, buffers, Options);
    }

    /// <summary>The nodes.</summary>
    public StorageNodes Nodes { get; }

    /// <summary>Memory that all uploads and downloads share.</summary>
    public BufferPool Buffers { get; }

    int IChunkManager.MaxBlockBytes => BlockGeometry.MaxLengthBytes;

    int IChunkManager.RequiredCopies => Nodes.QuorumCopies;

    int IChunkManager.WantedCopies => Nodes.WantedCopies;

    IReadOnlyCollection<NodeId> IChunkManager.Nodes => [.. Nodes.Ids];

    internal IEntropySource Entropy { get; }

    internal ChunkOptions Options { get; }

    internal TimeProvider Clock { get; }

    /// <inheritdoc />
    async Task<IChunkUpload> IChunkManager.BeginAsync(CustomerId customer, CancellationToken cancellationToken) =>
        new ChunkUpload(await BeginAsync(FirstBytes, cancellationToken), Buffers, customer);

    /// <inheritdoc />
    async Task<IChunkUpload> IChunkManager.BeginAsync(
        CustomerId customer, BlockExpectation expectation, CancellationToken cancellationToken)
    {
        if (expectation.IsLikelyKnown && Buffers.WholeBlocks.TryTake()) return new HeldUpload(this, customer);
        var expected = (int)Math.Clamp(expectation.LengthBytes ?? FirstBytes, 1, BlockGeometry.MaxLengthBytes);
        return new ChunkUpload(await BeginAsync(expected, cancellationToken), Buffers, customer);
    }

    /// <inheritdoc />
    public void Committed(CustomerId customer, IEnumerable<BlockName> blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        if (late is null) return;
        foreach (var block in blocks) Track(late.RecordAsync(new CustomerBlock(customer, block)));
    }

    /// <summary>Waits until nothing is done any more for blocks that were acknowledged.</summary>
    public async Task SettleAsync()
    {
        while (!underWay.IsEmpty) await Task.WhenAll(underWay.Keys);
    }

    /// <inheritdoc />
    public async Task<IReadOnlyCollection<NodeId>> FindCopiesAsync(BlockLocations block, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(block);

        // Invariant: whoever has the content does not drop it for a copy that is known, or must be feared, to be another. Where copies are
        // missing something has happened to the block, and each of those that are left is relied on.
        var isInDoubt = Nodes.Doubts.Contains(block.Id);
        var found = await AskAsync(isInDoubt);
        return isInDoubt || found.Length >= Nodes.QuorumCopies ? found : await AskAsync(isVerified: true);

        async Task<NodeId[]> AskAsync(bool isVerified)
        {
            var holders = block.Nodes.Where(Nodes.IsMember).ToArray();
            var answers = await Task.WhenAll(holders.Select(node => HasCopyAsync(node, block, isVerified, cancellationToken)));
            return [.. holders.Zip(answers).Where(static each => each.Second).Select(static each => each.First)];
        }
    }

    /// <inheritdoc />
    public Task CopyToAsync(
        CustomerId customer, IReadOnlyList<FileBlock> blocks, long offsetBytes, long lengthBytes, Stream destination,
        CancellationToken cancellationToken = default) =>
        reader.CopyToAsync(customer, blocks, offsetBytes, lengthBytes, destination, cancellationToken);

    /// <inheritdoc />
    public async Task ReadAsync(
        CustomerId customer, FileBlock block, int offsetBytes, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, block.LengthBytes - offsetBytes);
        var first = offsetBytes / BufferPool.DefaultBufferBytes;
        var last = (offsetBytes + destination.Length - 1) / BufferPool.DefaultBufferBytes;
        if (destination.IsEmpty) return;
        await Parallel.ForAsync(
            first,
            last + 1,
            new ParallelOptions { MaxDegreeOfParallelism = Options.ReadAhead, CancellationToken = cancellationToken },
            async (index, cancellation) =>
            {
                var piece = new BlockPiece(customer, block, index);
                var content = await pieces.FetchAsync(piece, cancellation);
                var from = Math.Max(offsetBytes, piece.OffsetBytes);
                var to = Math.Min(offsetBytes + destination.Length, piece.OffsetBytes + piece.LengthBytes);
                content.Content[(from - piece.OffsetBytes)..(to - piece.OffsetBytes)].CopyTo(destination[(from - offsetBytes)..]);
                content.Release();
            });
    }

    /// <summary>Begins a block: space is reserved on as many nodes as it should be on.</summary>
    /// <param name="expectedBytes">
    /// What nodes have to have space for; a little of it is reserved, and more as it comes.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NotEnoughNodesException">
    /// Fewer take it than have to have it, or those that do are in too few failure domains: nothing was written then.
    /// </exception>
    public Task<BlockWriter> BeginAsync(int expectedBytes = FirstBytes, CancellationToken cancellationToken = default) =>
        BeginAsync(expectedBytes, null, cancellationToken);

    /// <inheritdoc cref="BeginAsync(int, CancellationToken)"/>
    /// <param name="expectedBytes">What nodes have to have space for.</param>
    /// <param name="known">What the content is known by, where that has been found out.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task<BlockWriter> BeginAsync(int expectedBytes, BlockDigest? known, CancellationToken cancellationToken)
    {
        expectedBytes = Math.Clamp(expectedBytes, 1, BlockGeometry.MaxLengthBytes);
        var copies = new List<CopyStream>();
        var failures = new List<Exception>();
        var candidates = await Nodes.ChooseAsync(
            Entropy, [], [], NodeUpload.SpaceBytes(expectedBytes), cancellationToken);
        var next = 0;
        while (copies.Count < Nodes.WantedCopies && next < candidates.Count)
        {
            var asked = candidates.GetRange(next, Math.Min(Nodes.WantedCopies - copies.Count, candidates.Count - next));
            next += asked.Count;
            foreach (var (copy, failure) in await Task.WhenAll(asked.Select(node => ReserveAsync(node, expectedBytes))))
            {
                if (copy is not null) copies.Add(copy);
                else failures.Add(failure!);
            }
        }

        var writer = new BlockWriter(this, copies, known);
        var domains = StorageNodes.DomainsOf(copies.Select(copy => copy.Node));
        var isEnough = copies.Count >= Nodes.QuorumCopies && domains >= Nodes.QuorumDomains;
        if (isEnough && !cancellationToken.IsCancellationRequested) return writer;
        await writer.DisposeAsync();
        cancellationToken.ThrowIfCancellationRequested();
        failures.AddRange(Unusable(NodeUpload.SpaceBytes(expectedBytes)));
        throw NotEnough(copies.Count, domains, failures);
    }

    internal async Task<StoredCopies> RunAsync(CopyRun run, CancellationToken cancellationToken)
    {
        Track(run.RunAsync());
        var copies = await run.Enough.WaitAsync(cancellationToken);
        copies.Acknowledge();
        late?.Add(copies);
        Nodes.Unreadable.Retry(copies.Block);
        return copies;
    }

    internal NotEnoughNodesException NotEnough(
        int copies, int domains, IEnumerable<Exception> failures, IReadOnlyCollection<NodeId>? holders = null) =>
        new((Nodes.QuorumCopies, Nodes.QuorumDomains), (copies, domains), [.. failures], holders is null ? null : [.. holders]);

    void Track(Task task)
    {
        if (!task.IsCompleted && underWay.TryAdd(task, true)) _ = EndAsync();

        async Task EndAsync()
        {
            await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            underWay.TryRemove(task, out _);
        }
    }

    async Task<bool> HasCopyAsync(NodeId id, BlockLocations block, bool isVerified, CancellationToken cancellationToken)
    {
        try
        {
            if (Nodes.Find(id) is not { } node) return false;
            var found = isVerified
                ? await node.VerifyAsync(block.Id, cancellationToken)
                : await node.FindAsync(block.Id, cancellationToken);
            return found?.Digest.LengthBytes == block.LengthBytes;
        }
        catch (StorageNodeException e) when (e.Kind == NodeErrorKind.Damaged)
        {
            Nodes.Doubts.Add(block.Id); // Repair looks after it.
            return false;
        }
        catch (StorageNodeException)
        {
            return false; // Perhaps it has one. Nobody relies on perhaps.
        }
    }

    async Task<(CopyStream? Copy, Exception? Failure)> ReserveAsync(KnownNode node, int expectedBytes)
    {
        try
        {
            var ticket = await node.Node.BeginAsync(Math.Min(expectedBytes, FirstBytes), default);
            return (new CopyStream(node, ticket, Options, Clock), null);
        }
        catch (Exception failure)
        {
            Nodes.Avoid(node);
            return (null, failure);
        }
    }

    // Why nodes were not even asked.
    IEnumerable<Exception> Unusable(long neededBytes) =>
        from node in Nodes.All
        let health = node.Health
        where health is not null
        let problem = health.State != NodeState.Up ? (NodeErrorKind.Unavailable, health.Problem ?? "it cannot be used")
            : node.IsDraining ? (NodeErrorKind.Unavailable, "it is being emptied")
            : health.FreeBytes < neededBytes
                ? (NodeErrorKind.Full, $"there is space for {health.FreeBytes} bytes, and {neededBytes} are needed")
            : default((NodeErrorKind Kind, string Text)?)
        where problem is not null
        select new StorageNodeException(node.Id, problem.Value.Kind, problem.Value.Text);
}
