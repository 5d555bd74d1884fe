namespace Ashlar.Files;

/// <summary>A block on its way to nodes, from memory that is not shared: it is copied once, into pieces.</summary>
/// <remarks>
/// One piece it may always have; more, while the nodes take those before, only as long as there is credit. So it waits for its own nodes
/// alone, and they are not waited for without end.
/// </remarks>
sealed class ChunkUpload(BlockWriter writer, BufferPool buffers, CustomerId customer) : IChunkUpload
{
    readonly SemaphoreSlim own = new(1); // Never disposed of: a piece may come back later than that, and no wait has a handle.
    SharedBuffer? filling;

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        while (!content.IsEmpty)
        {
            filling ??= await RentAsync(cancellationToken);
            var part = content[..Math.Min(content.Length, filling.Space.Length - filling.LengthBytes)];
            part.CopyTo(filling.Space[filling.LengthBytes..]);
            filling.LengthBytes += part.Length;
            content = content[part.Length..];
            if (filling.LengthBytes == filling.Space.Length) await SendAsync(cancellationToken);
        }
    }

    public async Task<WantedBlock> SealAsync(CancellationToken cancellationToken = default)
    {
        if (filling is { LengthBytes: > 0 }) await SendAsync(cancellationToken);
        var digest = await writer.FinishAsync();
        return new WantedBlock(digest.Hash, digest.LengthBytes);
    }

    public async Task<IReadOnlyCollection<NodeId>> InstallAsync(
        BlockName name, IReadOnlyCollection<NodeId> holders, CancellationToken cancellationToken = default) =>
        (await writer.StoreAsync(name, customer, holders, cancellationToken)).Acknowledged;

    public async ValueTask DisposeAsync()
    {
        filling?.Release();
        filling = null;
        await writer.DisposeAsync();
    }

    async ValueTask<SharedBuffer> RentAsync(CancellationToken cancellationToken)
    {
        if (!own.Wait(0, CancellationToken.None))
        {
            if (buffers.Uploads.TryTake()) return buffers.Rent(buffers.Uploads.Return);
            await own.WaitAsync(cancellationToken);
        }

        return buffers.Rent(() => own.Release());
    }

    async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        var piece = filling!;
        filling = null;
        try
        {
            await writer.WriteAsync(piece, cancellationToken);
        }
        finally
        {
            piece.Release();
        }
    }
}
