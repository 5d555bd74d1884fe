using Ashlar.Storage;

namespace Ashlar.Files;

// A block on its way in: begun, appended to, installed or given up.
public sealed partial class DirectoryNode
{
    const int ReserveStepBytes = 4 << 20;

    /// <inheritdoc />
    public ValueTask<UploadTicket> BeginAsync(int expectedBytes, CancellationToken cancellation)
    {
        if (expectedBytes is < 1 or > BlockGeometry.MaxLengthBytes)
            throw Error(NodeErrorKind.InvalidRequest, $"a block has 1 to {BlockGeometry.MaxLengthBytes} bytes, not {expectedBytes}");
        return RunAsync(() => Begin(expectedBytes), null, cancellation);
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
            if (content.Length > BlockGeometry.MaxLengthBytes - offsetBytes)
                throw Error(
                    NodeErrorKind.InvalidRequest,
                    $"a block has at most {BlockGeometry.MaxLengthBytes} bytes, and {offsetBytes + (long)content.Length} came");
            await RunAsync(
                () =>
                {
                    Reserve(upload, offsetBytes + content.Length);
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
        UploadTicket ticket, CustomerBlock block, BlockDigest? digest, CancellationToken cancellation)
    {
        var upload = Enter(ticket);
        StoredBlock stored;
        try
        {
            if (upload.LengthBytes == 0) throw Error(NodeErrorKind.ContentDiffers, $"nothing was uploaded of {block}");
            if (digest is not null && digest.Hash != block.Name.Hash)
                throw Error(NodeErrorKind.ContentDiffers, $"what was sent is {digest.Hash}, and was to be {block.Name.Hash}");
            stored = await RunAsync(() => Install(ticket, upload, block, digest), syncLatency, cancellation);
        }
        catch (Exception e)
        {
            if (e is StorageNodeException { Kind: NodeErrorKind.Busy }) upload.Exit();
            else await ForgetAsync(ticket, upload);
            throw;
        }

        uploads.TryRemove(ticket.Value, out _);
        upload.Dispose();
        return stored;
    }

    /// <inheritdoc />
    public async ValueTask AbortAsync(UploadTicket ticket, CancellationToken cancellation)
    {
        // One that is in use ends with its request, and is idle then.
        if (uploads.TryGetValue(ticket.Value, out var upload) && upload.TryEnter()) await ForgetAsync(ticket, upload);
    }

    UploadTicket Begin(int expectedBytes)
    {
        RequireTrusted();
        RequireInPlace();
        foreach (var (ticket, idle) in uploads)
        {
            if (clock.GetElapsedTime(idle.LastUse) > options.UploadIdleLimit && idle.TryEnter()) Forget(new UploadTicket(ticket), idle);
        }

        lock (admission)
        {
            RequireSpace(NodeUpload.SpaceBytes(expectedBytes));
            var next = new UploadTicket(entropy.NextUInt64());
            var upload = new NodeUpload(files, directory.FileOf(next), expectedBytes, clock.GetTimestamp());
            Invariant.Require(uploads.TryAdd(next.Value, upload));
            return next;
        }
    }

    // What was not announced is reserved in steps, so that a short block does not keep the space of a long one from others.
    void Reserve(NodeUpload upload, int lengthBytes)
    {
        if (lengthBytes <= upload.ExpectedBytes) return;
        lock (admission)
        {
            var expected = Math.Min(BlockGeometry.MaxLengthBytes, Math.Max(lengthBytes, upload.ExpectedBytes + ReserveStepBytes));
            RequireSpace(NodeUpload.SpaceBytes(expected) - NodeUpload.SpaceBytes(upload.ExpectedBytes));
            upload.ExpectedBytes = expected;
        }
    }

    void RequireSpace(long needed)
    {
        var free = FreeBytes();
        if (free < needed) throw Error(NodeErrorKind.Full, $"there is space for {free} bytes, and {needed} are needed");
    }

    // Invariant: the name appears after the content is durable, and nobody is told before the name is.
    StoredBlock Install(UploadTicket ticket, NodeUpload upload, CustomerBlock block, BlockDigest? sent)
    {
        RequireTrusted();
        RequireInPlace(); // Or the block would be on the disk beneath the mount point.
        var digest = upload.Finish(sent) ?? throw Error(NodeErrorKind.ContentDiffers, $"what came of {block} is not what was sent");
        if (digest.Hash != block.Name.Hash)
            throw Error(NodeErrorKind.ContentDiffers, $"what was uploaded is {digest.Hash}, and was to be {block.Name.Hash}");
        var now = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());
        var stored = new StoredBlock(block, digest, now, Math.Max(1, entropy.NextUInt64()));
        Syncing(() => upload.Seal(stored));
        lock (directory.Moving) files.Rename(directory.FileOf(ticket), directory.FileOf(block));
        Syncing(() => syncs.Sync(directory.LeafOf(block), directory.Temp));
        return stored;
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
