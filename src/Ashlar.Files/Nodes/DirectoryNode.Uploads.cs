using Ashlar.Storage;

namespace Ashlar.Files;

// A block on its way in: begun, appended to, installed or given up.
public sealed partial class DirectoryNode
{
    /// <inheritdoc />
    public ValueTask<UploadTicket> BeginAsync(int maxLengthBytes, CancellationToken cancellation)
    {
        if (maxLengthBytes is < 1 or > BlockGeometry.MaxLengthBytes)
            throw Error(NodeErrorKind.InvalidRequest, $"a block has 1 to {BlockGeometry.MaxLengthBytes} bytes, not {maxLengthBytes}");
        return RunAsync(() => Begin(maxLengthBytes), null, cancellation);
    }

    /// <inheritdoc />
    public async ValueTask AppendAsync(
        UploadTicket ticket, int offsetBytes, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var upload = Enter(ticket);
        try
        {
            if (upload.LengthBytes != offsetBytes || upload.IsFinished)
                throw Error(
                    NodeErrorKind.InvalidRequest, $"of the block {upload.LengthBytes} bytes are there, and what came is for {offsetBytes}");
            if (content.Length > upload.MaxLengthBytes - offsetBytes)
                throw Error(
                    NodeErrorKind.InvalidRequest,
                    $"space was reserved for {upload.MaxLengthBytes} bytes, and {offsetBytes + (long)content.Length} came");
            await RunAsync(
                () =>
                {
                    upload.Append(content.Span);
                    return true;
                },
                writeLatency,
                cancellation);
            upload.LastUse = clock.GetTimestamp();
            upload.Exit();
        }
        catch (Exception e)
        {
            if (e is StorageNodeException { Kind: NodeErrorKind.Busy }) upload.Exit();
            else await ForgetAsync(ticket, upload);
            throw;
        }
    }

    /// <inheritdoc />
    public async ValueTask<StoredBlock> InstallAsync(
        UploadTicket ticket, BlockName name, CustomerId customer, CancellationToken cancellation)
    {
        var upload = Enter(ticket);
        StoredBlock block;
        try
        {
            if (upload.LengthBytes == 0) throw Error(NodeErrorKind.ContentDiffers, $"nothing was uploaded of {name}");
            var digest = upload.Finish();
            if (digest.Hash != name.Hash)
                throw Error(NodeErrorKind.ContentDiffers, $"what was uploaded is {digest.Hash}, and was to be {name.Hash}");
            var now = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());
            block = new StoredBlock(name, customer, digest, now);
            await RunAsync(
                () =>
                {
                    Install(ticket, upload, block);
                    return true;
                },
                syncLatency,
                cancellation);
        }
        catch (Exception e)
        {
            if (e is StorageNodeException { Kind: NodeErrorKind.Busy }) upload.Exit();
            else await ForgetAsync(ticket, upload);
            throw;
        }

        uploads.TryRemove(ticket.Value, out _);
        upload.Dispose();
        return block;
    }

    /// <inheritdoc />
    public async ValueTask AbortAsync(UploadTicket ticket, CancellationToken cancellation)
    {
        // One that is in use ends with its request, and is idle then.
        if (uploads.TryGetValue(ticket.Value, out var upload) && upload.TryEnter()) await ForgetAsync(ticket, upload);
    }

    UploadTicket Begin(int maxLengthBytes)
    {
        RequireTrusted();
        RequireInPlace();
        foreach (var (ticket, idle) in uploads)
        {
            if (clock.GetElapsedTime(idle.LastUse) > options.UploadIdleLimit && idle.TryEnter()) Forget(new UploadTicket(ticket), idle);
        }

        lock (admission)
        {
            var free = FreeBytes();
            var needed = maxLengthBytes + (long)BlockTrailer.SizeBytes(maxLengthBytes);
            if (free < needed) throw Error(NodeErrorKind.Full, $"there is space for {free} bytes, and {needed} are needed");
            var next = new UploadTicket(entropy.NextUInt64());
            var upload = new NodeUpload(files, directory.FileOf(next), maxLengthBytes, clock.GetTimestamp());
            Invariant.Require(uploads.TryAdd(next.Value, upload));
            return next;
        }
    }

    // Invariant: the name appears after the content is durable, and nobody is told before the name is.
    void Install(UploadTicket ticket, NodeUpload upload, StoredBlock block)
    {
        RequireTrusted();
        RequireInPlace(); // Or the block would be on the disk beneath the mount point.
        Syncing(() => upload.Seal(block));
        files.Rename(directory.FileOf(ticket), directory.FileOf(block.Name));
        Syncing(() => syncs.Sync(directory.LeafOf(block.Name), directory.Temp));
    }

    NodeUpload Enter(UploadTicket ticket)
    {
        if (!uploads.TryGetValue(ticket.Value, out var upload))
            throw Error(
                NodeErrorKind.UnknownUpload, "there is no such upload: it has ended, was idle for too long, or the node was restarted");
        return upload.TryEnter()
            ? upload
            : throw Error(NodeErrorKind.InvalidRequest, "another request of the same upload is under way");
    }

    // Never to be given up: a file that is open and a reservation would stay.
    async ValueTask ForgetAsync(UploadTicket ticket, NodeUpload upload)
    {
        uploads.TryRemove(ticket.Value, out _);
        var job = new Job<bool>(() =>
        {
            upload.Delete();
            return true;
        });
        try
        {
            threads.Post(job);
        }
        catch (ObjectDisposedException)
        {
            job.Execute(); // The node is being closed, and its threads are gone already.
        }

        await job.Task;
    }

    void Forget(UploadTicket ticket, NodeUpload upload)
    {
        uploads.TryRemove(ticket.Value, out _);
        upload.Delete();
    }
}
