namespace Ashlar.Files;

/// <summary>Copies a block from one storage node to another. Both verify it, and so does this.</summary>
static class BlockCopy
{
    // So long a node that has too much to do is asked again.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>When it returns the target's copy is durable. After a failure nothing is left of it there.</summary>
    /// <exception cref="StorageNodeException">One of the two failed; it says which.</exception>
    public static async Task<StoredBlock> RunAsync(
        IStorageNode source, IStorageNode target, CustomerBlock block, BufferPool buffers, Func<int, ValueTask>? throttle,
        CancellationToken cancellationToken, TimeProvider? clock = null)
    {
        clock ??= TimeProvider.System;
        var stored = await source.FindAsync(block, cancellationToken)
            ?? throw new StorageNodeException(source.Id, NodeErrorKind.NotFound, $"there is no block {block}");
        var ticket = await target.BeginAsync(stored.Digest.LengthBytes, cancellationToken);
        var buffer = buffers.Rent();
        Exception? failure = null;
        try
        {
            for (var done = 0; done < stored.Digest.LengthBytes;)
            {
                if (throttle is not null) await throttle(Math.Min(buffer.Space.Length, stored.Digest.LengthBytes - done));
                var at = done;
                var part = await InsistAsync(() => source.ReadAsync(block, at, buffer.Space, cancellationToken));
                if (part.LengthBytes == 0 || stored.Digest.FindDamage(buffer.Space.Span[..part.LengthBytes], done) is not null)
                    throw new StorageNodeException(
                        source.Id, NodeErrorKind.Damaged, $"what was read of {block} at {done} is not the block");
                await InsistAsync(async () =>
                {
                    await target.AppendAsync(ticket, at, buffer.Space[..part.LengthBytes], cancellationToken);
                    return true;
                });
                done += part.LengthBytes;
            }

            return await InsistAsync(() => target.InstallAsync(ticket, block, null, cancellationToken));
        }
        catch (Exception e)
        {
            failure = e;
            await AbortAsync(target, ticket);
            throw;
        }
        finally
        {
            buffer.ReleaseAfter(failure);
        }

        Task<T> InsistAsync<T>(Func<ValueTask<T>> call) => BusyNode.InsistAsync(call, Patience, clock, cancellationToken);
    }

    /// <summary>Forgets an upload, as far as its node can be reached; it forgets by itself what nobody goes on with.</summary>
    public static async Task AbortAsync(IStorageNode node, UploadTicket ticket)
    {
        try
        {
            await node.AbortAsync(ticket, default);
        }
        catch (Exception e) when (e is StorageNodeException or ObjectDisposedException)
        {
            // It has been told, or will find out.
        }
    }
}
