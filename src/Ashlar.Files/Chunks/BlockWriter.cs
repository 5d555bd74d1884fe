using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// A block on its way to its nodes while it is cut: bytes go to all of them as they come, and what they are called is known at the end.
/// One caller at a time.
/// </summary>
public sealed class BlockWriter : IAsyncDisposable
{
    readonly ChunkManager chunks;
    readonly List<CopyStream> copies;
    readonly BlockHasher hasher = new();
    readonly BlockDigest? known;
    Task hashing = Task.CompletedTask;
    BlockDigest? digest;
    bool isStoring;

    /// <param name="chunks">Whose.</param>
    /// <param name="copies">On their way.</param>
    /// <param name="known">What the content is known by, where that has been found out: it is not hashed again.</param>
    internal BlockWriter(ChunkManager chunks, List<CopyStream> copies, BlockDigest? known) =>
        (this.chunks, this.copies, this.known) = (chunks, copies, known);

    /// <summary>Bytes so far.</summary>
    public int LengthBytes { get; private set; }

    /// <summary>Takes what comes next. Whoever calls keeps its share of the piece.</summary>
    /// <exception cref="NotEnoughNodesException">No node is left that takes it.</exception>
    public async ValueTask WriteAsync(SharedBuffer piece, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(piece);
        Invariant.Require(digest is null);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(piece.LengthBytes, BlockGeometry.MaxLengthBytes - LengthBytes);

        if (known is null) await HashAsync(piece);
        foreach (var copy in copies) await copy.WriteAsync(piece, cancellationToken);
        if (copies.TrueForAll(copy => copy.Failure is not null)) throw chunks.NotEnough(0, 0, copies.Select(copy => copy.Failure!));
        LengthBytes += piece.LengthBytes;
    }

    /// <summary>What the content is known by; nothing more is written.</summary>
    public async ValueTask<BlockDigest> FinishAsync()
    {
        await hashing;
        digest ??= known ?? hasher.Finish();
        Invariant.Require(digest.LengthBytes == LengthBytes);
        return digest;
    }

    /// <summary>
    /// Gives the block its name. Ends when enough copies are durable, on distinct nodes and in distinct failure domains; what is missing
    /// then follows, from a copy that is durable and on another node where one has failed.
    /// </summary>
    /// <param name="name">The hash of the content, and the generation that the metadata store has drawn.</param>
    /// <param name="customer">Whose it is.</param>
    /// <param name="holders">Nodes that have it already, count as durable, and get no second copy.</param>
    /// <param name="cancellationToken">Ends the wait; the copies are made all the same.</param>
    /// <exception cref="NotEnoughNodesException">Enough copies cannot be had. Some nodes may hold one.</exception>
    public Task<StoredCopies> StoreAsync(
        BlockName name, CustomerId customer, IReadOnlyCollection<NodeId>? holders = null, CancellationToken cancellationToken = default)
    {
        Invariant.Require(!isStoring && digest is not null);
        if (name.Hash != digest.Hash) throw new ArgumentException($"The content is {digest.Hash}, not {name.Hash}.", nameof(name));
        var stored = new StoredCopies(new CustomerBlock(customer, name), digest, chunks.Nodes.WantedCopies);
        isStoring = true;
        return chunks.RunAsync(new CopyRun(chunks, copies, stored, holders ?? []), cancellationToken);
    }

    /// <summary>Forgets what was not stored. A store that has begun goes on.</summary>
    public async ValueTask DisposeAsync()
    {
        await hashing;
        hasher.Dispose();
        if (isStoring) return;
        foreach (var copy in copies) copy.GiveUp(new OperationCanceledException("The upload was given up."));
        await Task.WhenAll(copies.Select(EndAsync));

        static async Task EndAsync(CopyStream copy)
        {
            await ((Task)copy.FinishAsync()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await BlockCopy.AbortAsync(copy.Node.Node, copy.Ticket);
        }
    }

    // The piece is hashed while it is written, and the next one read.
    async ValueTask HashAsync(SharedBuffer piece)
    {
        await hashing;
        piece.Share();
        hashing = Task.Run(
            () =>
            {
                try
                {
                    hasher.Append(piece.Content.Span);
                }
                finally
                {
                    piece.Release();
                }
            },
            CancellationToken.None);
    }
}
