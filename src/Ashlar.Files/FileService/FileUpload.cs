using System.Buffers;

namespace Ashlar.Files;

/// <summary>
/// One upload. I3: pin, then data durable, then commit, then un-pin: whatever ends it before, only surplus is left, which its intent
/// leads to.
/// </summary>
sealed class FileUpload(
    IMetadataStore metadata, IChunkManager chunks, FileServiceOptions options, CustomerId customer, FilePath path, CreateFileOptions create)
    : IAsyncDisposable
{
    readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(options.BufferBytes, FileCommit.MaxInlineBytes + 1));
    readonly List<FileBlock> blocks = [];
    readonly Dictionary<BlockName, IReadOnlyCollection<NodeId>> written = [];
    IntentToken? intent;
    LeaseKeeper? lease;
    long received;

    public async Task<NamespaceEntry> RunAsync(Stream content, CancellationToken cancellationToken)
    {
        var filled = await FillAsync(content, FileCommit.MaxInlineBytes + 1, cancellationToken);
        if (filled <= FileCommit.MaxInlineBytes)
        {
            RequireEnd();
            return await CommitInlineAsync(buffer.AsMemory(0, filled), cancellationToken);
        }

        if (await OpenAsync(cancellationToken) is { } repeated) return repeated;
        await using (lease = new LeaseKeeper(metadata, intent!.Value, options))
        {
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
            try
            {
                while (filled > 0) filled = await UploadBlockAsync(content, filled, both.Token);
                RequireEnd();
                return await CommitAsync(both.Token);
            }
            catch (OperationCanceledException) when (lease.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new IntentLostException(intent.Value, "it could not be renewed");
            }
        }
    }

    /// <summary>Takes back what was written in vain. What cannot be now is found by the end of the lease.</summary>
    public async ValueTask DisposeAsync()
    {
        // No I/O uses it any more: all was waited for.
        ArrayPool<byte>.Shared.Return(buffer);
        if (intent is not { } open) return;
        try
        {
            while (!await metadata.ReleaseIntentAsync(open, chunks.Nodes))
            {
                // A page at a time.
            }
        }
        catch (Exception failure) when (failure is Storage.AshlarException or OperationCanceledException)
        {
            // The failure that ended the upload is the one to tell of.
        }
    }

    async Task<NamespaceEntry> CommitInlineAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var file = new FileCommit
        {
            Path = path,
            Tag = ContentTag.Of(content.Span),
            Inline = content,
            Condition = create.Condition,
        };
        while (true)
        {
            try
            {
                return await metadata.CommitInlineAsync(customer, NextId(), file, cancellationToken);
            }
            catch (UploadIdInUseException) when (create.UploadId is null)
            {
                // Drawn twice: once in sixteen million for two in one millisecond.
            }
        }
    }

    // The entry, if this upload was committed before and its answer was lost.
    async Task<NamespaceEntry?> OpenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var id = NextId();
            try
            {
                var opened = await metadata.OpenIntentAsync(customer, id, path, options.Owner, options.Lease, cancellationToken);
                intent = opened.Token;
                return null;
            }
            catch (UploadIdInUseException)
            {
                if (create.UploadId is null) continue;
                if (await metadata.StatAsync(customer, path, cancellationToken) is { } entry && entry.FileId == id) return entry;
                throw;
            }
        }
    }

    // Of what is in the buffer and follows; gives what is in the buffer of the next block.
    async Task<int> UploadBlockAsync(Stream content, int filled, CancellationToken cancellationToken)
    {
        await using var upload = await chunks.BeginAsync(customer, cancellationToken);
        var length = 0;
        while (filled > 0 && length < chunks.MaxBlockBytes)
        {
            var taken = Math.Min(filled, chunks.MaxBlockBytes - length);
            await upload.AppendAsync(buffer.AsMemory(0, taken), cancellationToken);
            length += taken;
            if (taken < filled)
            {
                buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
                filled -= taken;
                continue;
            }

            filled = await FillAsync(content, buffer.Length, cancellationToken);
        }

        var wanted = await upload.SealAsync(cancellationToken);
        var pin = (await metadata.PinAsync(intent!.Value, [wanted], cancellationToken))[0];
        blocks.Add(new(pin.Name, wanted.LengthBytes));
        if (written.ContainsKey(pin.Name)) return filled; // Twice in one file.
        if (pin.Known is not { } known)
        {
            written[pin.Name] = await upload.InstallAsync(pin.Name, [], cancellationToken);
            return filled;
        }

        // A hit, if its copies are there now. If not, this upload has the content to make more, under the same name: what is listed and
        // not there counts for nothing.
        var present = await chunks.FindCopiesAsync(known, cancellationToken);
        if (present.Count < chunks.RequiredCopies)
            written[pin.Name] = [.. present, .. await upload.InstallAsync(pin.Name, present, cancellationToken)];
        return filled;
    }

    async Task<NamespaceEntry> CommitAsync(CancellationToken cancellationToken)
    {
        var file = new FileCommit
        {
            Path = path,
            Tag = ContentTag.Of(blocks),
            Blocks = blocks,
            Written = written,
            RequiredCopies = chunks.RequiredCopies,
            WantedCopies = chunks.WantedCopies,
            Condition = create.Condition,
        };
        // Not cancelled once it has begun: then nobody would know whether the file is there.
        cancellationToken.ThrowIfCancellationRequested();
        return await metadata.CommitAsync(intent!.Value, file, CancellationToken.None);
    }

    async Task<int> FillAsync(Stream content, int wanted, CancellationToken cancellationToken)
    {
        var filled = await content.ReadAtLeastAsync(
            buffer.AsMemory(0, wanted), wanted, throwOnEndOfStream: false, cancellationToken);
        received += filled;
        if (received > create.ExpectedBytes) throw new ContentLengthException(path, create.ExpectedBytes.Value, received);
        return filled;
    }

    void RequireEnd()
    {
        if (create.ExpectedBytes is { } expected && received != expected) throw new ContentLengthException(path, expected, received);
    }

    ulong NextId() => create.UploadId ?? UploadId.Draw(options.TimeProvider, options.Entropy);
}
