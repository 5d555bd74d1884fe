using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// A block that the store has, probably: it stays in memory until its name is known, so that nothing is written in vain. There is credit
/// for a few of them at a time.
/// </summary>
sealed class HeldUpload(ChunkManager chunks, CustomerId customer) : IChunkUpload
{
    readonly List<SharedBuffer> pieces = [];
    readonly BlockHasher hasher = new();
    Task hashing = Task.CompletedTask;
    BlockDigest? digest;
    BlockWriter? writer;
    bool isDisposed;

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (!content.IsEmpty)
        {
            if (pieces.Count == 0 || pieces[^1].LengthBytes == pieces[^1].Space.Length) pieces.Add(chunks.Buffers.Rent());
            var piece = pieces[^1];
            var part = content[..Math.Min(content.Length, piece.Space.Length - piece.LengthBytes)];
            part.CopyTo(piece.Space[piece.LengthBytes..]);
            piece.LengthBytes += part.Length;
            content = content[part.Length..];
            if (piece.LengthBytes == piece.Space.Length) await HashAsync(piece);
        }
    }

    public async Task<WantedBlock> SealAsync(CancellationToken cancellationToken = default)
    {
        if (pieces.Count > 0 && pieces[^1].LengthBytes < pieces[^1].Space.Length) await HashAsync(pieces[^1]);
        await hashing;
        digest = hasher.Finish();
        return new WantedBlock(digest.Hash, digest.LengthBytes);
    }

    public async Task<IReadOnlyCollection<NodeId>> InstallAsync(
        BlockName name, IReadOnlyCollection<NodeId> holders, CancellationToken cancellationToken = default)
    {
        // It was not known, or copies of it are missing.
        Invariant.Require(writer is null && digest is not null);
        writer = await chunks.BeginAsync(Math.Max(1, digest.LengthBytes), digest, cancellationToken);
        foreach (var piece in pieces) await writer.WriteAsync(piece, cancellationToken);
        await writer.FinishAsync();
        return (await writer.StoreAsync(name, customer, holders, cancellationToken)).Acknowledged;
    }

    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        await hashing;
        hasher.Dispose();
        if (writer is not null) await writer.DisposeAsync();
        foreach (var piece in pieces) piece.Release();
        chunks.Buffers.WholeBlocks.Return();
    }

    // The client goes on while its bytes are hashed.
    async ValueTask HashAsync(SharedBuffer piece)
    {
        await hashing;
        hashing = Task.Run(() => hasher.Append(piece.Content.Span), CancellationToken.None);
    }
}
