namespace Ashlar.Files;

public sealed partial class FileService
{
    const int PartsPage = 1000;

    /// <summary>Begins an upload whose parts come in any order, also at the same time, and may be repeated.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="path">The file that is to be.</param>
    /// <param name="begin">How; null is without anything beside the content, in a directory that is there.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The upload; its token is shown with every part.</returns>
    /// <inheritdoc cref="IUploads.OpenIntentAsync" path="/exception"/>
    public async Task<UploadIntent> BeginPartsAsync(
        CustomerId customer, FilePath path, BeginPartsOptions? begin = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        begin ??= new();
        if (path.IsRoot) throw new NotAFileException(path);
        _ = begin.Properties.Beside(FileProperties.Empty);
        while (true)
        {
            var request = new IntentRequest
            {
                Id = begin.UploadId ?? DrawId(),
                Path = path,
                Owner = options.Owner,
                Lease = options.PartsLease,
                IsInParts = true,
                Properties = begin.Properties,
                CreateParents = begin.CreateParents,
                ExpectedBytes = begin.ExpectedBytes,
            };
            try
            {
                return await metadata.OpenIntentAsync(customer, request, cancellationToken);
            }
            catch (UploadIdInUseException) when (begin.UploadId is null)
            {
                // Drawn twice.
            }
        }
    }

    /// <summary>Adds a part, or replaces the one of its number. When this returns it is durable, and in no file yet.</summary>
    /// <param name="intent">The upload.</param>
    /// <param name="number">Where it comes in the file, from 1 to <see cref="UploadPart.MaxNumber"/>.</param>
    /// <param name="content">Read to its end, in constant memory.</param>
    /// <param name="put">How; null takes what comes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ContentLengthException">The content is not as long as it has to be.</exception>
    /// <inheritdoc cref="IUploads.PutPartAsync" path="/exception"/>
    public async Task<UploadPart> PutPartAsync(
        IntentToken intent, int number, Stream content, ContentOptions? put = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (number is < 1 or > UploadPart.MaxNumber)
            throw new ArgumentException($"Parts have numbers from 1 to {UploadPart.MaxNumber}, not {number}.", nameof(number));
        var open = await metadata.FindIntentAsync(intent.Customer, intent.Id, cancellationToken)
            ?? throw new IntentLostException(intent, "it has ended");
        await using var upload = new ContentUpload(metadata, chunks, options, Traffic, intent.Customer, open.Path, put ?? new());
        // The first renewal comes a while after the beginning: not before the end of a lease that is nearly over.
        if (open.LeaseEndsAt - options.TimeProvider.GetUtcNow() < options.PartsLease / 2)
            await metadata.RenewIntentAsync(intent, options.PartsLease, cancellationToken);
        // A short part is a short block: it is in no file that it could lie with.
        await upload.BeginAsync(content, cancellationToken);
        await using var lease = new LeaseKeeper(metadata, intent, options.PartsLease, options.TimeProvider);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
        try
        {
            await upload.TakeAsync(content, intent, both.Token);
            var hash = upload.Blocks.Count switch
            {
                0 => ContentHash.Of([]),
                1 => upload.Blocks[0].Name.Hash,
                _ => default(ContentHash?),
            };
            var ownTag = upload.Blocks.Count == 0 ? ContentTag.Of(ReadOnlySpan<byte>.Empty) : ContentTag.Of(upload.Blocks);
            var (tag, properties) = upload.Finish(hash, ownTag, FileProperties.Empty);
            var part = new UploadPart
            {
                Number = number,
                SizeBytes = upload.Received,
                Tag = tag,
                Properties = properties,
                Blocks = upload.Blocks,
                CreatedAt = default,
            };
            both.Token.ThrowIfCancellationRequested();
            var stored = await metadata.PutPartAsync(
                intent, part, upload.Written, chunks.RequiredCopies, chunks.WantedCopies, options.PartsLease, chunks.Nodes,
                CancellationToken.None);
            chunks.Committed(intent.Customer, upload.Written.Keys);
            return stored;
        }
        catch (OperationCanceledException) when (lease.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new IntentLostException(intent, "it could not be renewed");
        }
    }

    /// <inheritdoc cref="IUploads.ListPartsAsync"/>
    public Task<IReadOnlyList<UploadPart>> ListPartsAsync(
        CustomerId customer, ulong id, int after = 0, int limit = 1000, CancellationToken cancellationToken = default) =>
        metadata.ListPartsAsync(customer, id, after, limit, cancellationToken);

    /// <summary>Makes a file of parts, one after the other. Called again it gives the same answer, as long as the file is there.</summary>
    /// <param name="intent">The upload.</param>
    /// <param name="parts">Numbers, each higher than the one before, and entity tags of the parts; others are given up.</param>
    /// <param name="complete">How; null is a new file.</param>
    /// <param name="cancellationToken">Ends the wait, unless it is being committed.</param>
    /// <exception cref="InvalidPartException">A part is not there, has another tag, or comes in another place.</exception>
    /// <inheritdoc cref="IUploads.CommitAsync" path="/exception"/>
    public async Task<NamespaceEntry> CompletePartsAsync(
        IntentToken intent, IReadOnlyList<(int Number, string Tag)> parts, CompletePartsOptions? complete = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(parts);
        if (parts.Count == 0) throw new ArgumentException("A file has at least one part.", nameof(parts));
        complete ??= new();
        _ = complete.Properties.Beside(FileProperties.Empty);
        if (await metadata.FindIntentAsync(intent.Customer, intent.Id, cancellationToken) is not { IsInParts: true } open)
        {
            return await metadata.FindCommittedAsync(intent.Customer, intent.Id, cancellationToken)
                ?? throw new IntentLostException(intent, "it has ended");
        }

        var chosen = Choose(intent, parts, await ReadPartsAsync(intent, cancellationToken));
        var blocks = chosen.SelectMany(part => part.Blocks).ToArray();
        var file = new FileCommit
        {
            Path = open.Path,
            Tag = complete.Tag ?? (blocks.Length == 0 ? ContentTag.Of(ReadOnlySpan<byte>.Empty) : ContentTag.Of(blocks)),
            Inline = blocks.Length == 0 ? ReadOnlyMemory<byte>.Empty : default(ReadOnlyMemory<byte>?),
            Blocks = blocks,
            Properties = open.Properties.With(
                complete.Properties.Select(pair => new KeyValuePair<string, string?>(pair.Key, pair.Value))),
            CreateParents = open.CreateParents,
            // Each had as many as were required when it was put. What is wanted more since then is left to repair.
            RequiredCopies = 1,
            WantedCopies = chunks.WantedCopies,
            Condition = complete.Condition,
            Parts = parts,
        };
        cancellationToken.ThrowIfCancellationRequested();
        var entry = await metadata.CommitAsync(intent, file, CancellationToken.None);
        await ReleaseAsync(intent);
        return entry;
    }

    /// <summary>Gives up an upload in parts: what was written goes. It is no error if it has ended already.</summary>
    /// <exception cref="IntentLostException">Somebody else has opened it.</exception>
    public async Task AbortPartsAsync(IntentToken intent, CancellationToken cancellationToken = default)
    {
        while (!await metadata.ReleaseIntentAsync(intent, chunks.Nodes, cancellationToken))
        {
            // A page at a time.
        }
    }

    static List<UploadPart> Choose(IntentToken intent, IReadOnlyList<(int Number, string Tag)> wanted, Dictionary<int, UploadPart> present)
    {
        var chosen = new List<UploadPart>(wanted.Count);
        var last = 0;
        foreach (var (number, tag) in wanted)
        {
            if (number <= last) throw new InvalidPartException(intent, number, $"it comes behind part {last}");
            if (!present.TryGetValue(number, out var part)) throw new InvalidPartException(intent, number, "it is not there");
            if (part.Tag != tag) throw new InvalidPartException(intent, number, $"its entity tag is {part.Tag}, not {tag}");
            chosen.Add(part);
            last = number;
        }

        return chosen;
    }

    async Task<Dictionary<int, UploadPart>> ReadPartsAsync(IntentToken intent, CancellationToken cancellationToken)
    {
        var parts = new Dictionary<int, UploadPart>();
        var last = 0;
        while (await metadata.ListPartsAsync(intent.Customer, intent.Id, last, PartsPage, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var part in page) parts.Add(part.Number, part);
            last = page[^1].Number;
        }

        return parts;
    }

    // What became no part of the file. The file is there, whatever becomes of this: the collector finds the rest.
    async Task ReleaseAsync(IntentToken intent)
    {
        try
        {
            await AbortPartsAsync(intent);
        }
        catch (Storage.AshlarException)
        {
            // Later.
        }
    }
}
