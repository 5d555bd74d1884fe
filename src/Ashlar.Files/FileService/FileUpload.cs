namespace Ashlar.Files;

/// <summary>
/// One upload. I3: pin, then data durable, then commit, then un-pin: whatever ends it before, only surplus is left, which its intent
/// leads to.
/// </summary>
sealed class FileUpload(
    IMetadataStore metadata, IChunkManager chunks, FileServiceOptions options, FileTraffic traffic, CustomerId customer, FilePath path,
    CreateFileOptions create)
    : IAsyncDisposable
{
    readonly ContentUpload upload = new(metadata, chunks, options, traffic, customer, path, create);
    IntentToken? intent;

    public async Task<NamespaceEntry> RunAsync(Stream content, CancellationToken cancellationToken)
    {
        if (await upload.BeginAsync(content, cancellationToken) is { } inline) return await CommitInlineAsync(inline, cancellationToken);
        if (await OpenAsync(cancellationToken) is { } repeated) return repeated;
        await using var lease = new LeaseKeeper(metadata, intent!.Value, options.Lease, options.TimeProvider);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
        try
        {
            await upload.TakeAsync(content, intent.Value, both.Token);
            return await CommitAsync(both.Token);
        }
        catch (OperationCanceledException) when (lease.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new IntentLostException(intent.Value, "it could not be renewed");
        }
    }

    /// <summary>Takes back what was written in vain. What cannot be now is found by the end of the lease.</summary>
    public async ValueTask DisposeAsync()
    {
        await upload.DisposeAsync();
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
        var hash = ContentHash.Of(content.Span);
        var (tag, properties) = upload.Finish(hash, hash.ToString(), create.Properties);
        var file = new FileCommit
        {
            Path = path,
            Tag = tag,
            Inline = content,
            Properties = properties,
            CreateParents = create.CreateParents,
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
            var request = new IntentRequest
            {
                Id = NextId(),
                Path = path,
                Owner = options.Owner,
                Lease = options.Lease,
                CreateParents = create.CreateParents,
                ExpectedBytes = create.ExpectedBytes,
            };
            try
            {
                intent = (await metadata.OpenIntentAsync(customer, request, cancellationToken)).Token;
                return null;
            }
            catch (UploadIdInUseException)
            {
                if (create.UploadId is null) continue;
                if (await metadata.FindCommittedAsync(customer, request.Id, cancellationToken) is { } entry && entry.Path == path)
                    return entry;
                throw;
            }
        }
    }

    async Task<NamespaceEntry> CommitAsync(CancellationToken cancellationToken)
    {
        var hash = upload.Blocks.Count == 1 ? upload.Blocks[0].Name.Hash : default(ContentHash?);
        var (tag, properties) = upload.Finish(hash, ContentTag.Of(upload.Blocks), create.Properties);
        var file = new FileCommit
        {
            Path = path,
            Tag = tag,
            Blocks = upload.Blocks,
            Written = upload.Written,
            Holders = chunks.Nodes,
            Properties = properties,
            CreateParents = create.CreateParents,
            RequiredCopies = chunks.RequiredCopies,
            WantedCopies = chunks.WantedCopies,
            Condition = create.Condition,
        };
        // Not cancelled once it has begun: then nobody would know whether the file is there.
        cancellationToken.ThrowIfCancellationRequested();
        var entry = await metadata.CommitAsync(intent!.Value, file, CancellationToken.None);
        chunks.Committed(customer, upload.Written.Keys);
        return entry;
    }

    ulong NextId() => create.UploadId ?? UploadId.Draw(options.TimeProvider, options.Entropy);
}
