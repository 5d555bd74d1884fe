using System.Buffers;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Takes content from a stream into blocks that an intent pins, in constant memory. While a block becomes durable the next one comes, and
/// while the check looks at what came, more comes.
/// </summary>
sealed class ContentUpload(IMetadataStore metadata, IChunkManager chunks, FileServiceOptions options, FileTraffic traffic,
    CustomerId customer, FilePath path, ContentOptions content)
    : IAsyncDisposable
{
    // Less than this is looked at sooner than another thread would begin.
    const int ShortBytes = 32 << 10;

    // Content of so many blocks is worth that its first one waits until it is known whether the store has it: of fewer it would be much of
    // the time that storing them takes.
    const int ManyBlocks = 8;

    readonly int bufferBytes = content.ExpectedBytes <= FileCommit.MaxInlineBytes
        ? FileCommit.MaxInlineBytes + 1
        : Math.Max(options.BufferBytes, FileCommit.MaxInlineBytes + 1);
    readonly List<FileBlock> blocks = [];
    readonly Dictionary<BlockName, IReadOnlyCollection<NodeId>> written = [];
    byte[] buffer = [], other = []; // By turns, where there is a check.
    int start, filled;
    bool wasKnown; // Where a block was there already, the next one probably is.
    Task checking = Task.CompletedTask, installing = Task.CompletedTask;

    /// <summary>Bytes that came.</summary>
    public long Received { get; private set; }

    /// <summary>The blocks, in order.</summary>
    public IReadOnlyList<FileBlock> Blocks => blocks;

    /// <summary>Copies that this upload answers for: what is recorded is durable, so none is under way.</summary>
    public IReadOnlyDictionary<BlockName, IReadOnlyCollection<NodeId>> Written
    {
        get
        {
            Invariant.Require(installing.IsCompletedSuccessfully);
            return written;
        }
    }

    /// <summary>Reads a little. What it gives is all, if it is no more than lies with the metadata.</summary>
    /// <returns>All of the content, if it is so short; null if it is not.</returns>
    public async Task<ReadOnlyMemory<byte>?> BeginAsync(Stream source, CancellationToken cancellationToken)
    {
        await FillAsync(source, FileCommit.MaxInlineBytes + 1, cancellationToken);
        if (filled > FileCommit.MaxInlineBytes) return null;
        RequireEnd();
        return buffer.AsMemory(0, filled);
    }

    /// <summary>Reads the rest into blocks: each pinned before it is durable, and durable before anything refers to it.</summary>
    public async Task TakeAsync(Stream source, IntentToken intent, CancellationToken cancellationToken)
    {
        while (filled > 0) await TakeBlockAsync(source, intent, cancellationToken);
        RequireEnd();
        await checking;
        await installing;
    }

    /// <summary>What the check says of the content, or nothing; the last thing before the content is recorded.</summary>
    /// <param name="hash">Of all of it, if it is known.</param>
    /// <param name="ownTag">The store's own entity tag.</param>
    /// <param name="properties">What the caller gave.</param>
    public (string Tag, FileProperties Properties) Finish(ContentHash? hash, string ownTag, FileProperties properties)
    {
        properties = properties.Beside(FileProperties.Empty);
        if (content.Check?.Finish() is not { } verdict) return (ownTag, properties);
        var all = verdict.Properties.Count == 0
            ? properties
            : properties.With(verdict.Properties.Select(pair => new KeyValuePair<string, string?>(pair.Key, pair.Value)));
        if (hash is { } known && verdict.Tag is not null)
            all = all.With([new(FileProperties.Sha256, known.ToString())]);
        return (verdict.Tag ?? ownTag, all);
    }

    /// <summary>Waits for what is under way, and uses nothing of it.</summary>
    public async ValueTask DisposeAsync()
    {
        await checking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await installing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // No I/O and no check uses them any more.
        foreach (var rented in (byte[][])[buffer, other])
            if (rented.Length > 0) ArrayPool<byte>.Shared.Return(rented);
        (buffer, other) = ([], []);
    }

    // Of what is in the buffer and follows; leaves there what is of the next block.
    async Task TakeBlockAsync(Stream source, IntentToken intent, CancellationToken cancellationToken)
    {
        // What is left of what was announced, with what is in the buffer.
        var left = content.ExpectedBytes - (Received - filled);
        var isLikelyKnown = wasKnown || (blocks.Count == 0 && left >= (long)ManyBlocks * chunks.MaxBlockBytes);
        var upload = await chunks.BeginAsync(customer, new BlockExpectation(left, isLikelyKnown), cancellationToken);
        var isHandedOn = false;
        try
        {
            var wanted = await FillBlockAsync(upload, source, cancellationToken);
            // At most one is under way: its memory is bounded, and the names of all before are known.
            await installing;
            var pin = (await metadata.PinAsync(intent, [wanted], cancellationToken))[0];
            blocks.Add(new(pin.Name, wanted.LengthBytes));
            wasKnown = false;
            traffic.AddBlock(isKnown: pin.Known is not null || written.ContainsKey(pin.Name));
            if (written.ContainsKey(pin.Name)) return; // Twice in one file.
            IReadOnlyCollection<NodeId> present = [];
            if (pin.Known is { } known)
            {
                // A hit, if its copies are there now. If not, this upload has the content to make more, under the same name: what is listed
                // and not there counts for nothing.
                present = await chunks.FindCopiesAsync(known, cancellationToken);
                wasKnown = present.Count >= chunks.RequiredCopies;
                if (wasKnown) return;
            }

            // Invariant: it is pinned by now, and nothing refers to it before it is durable: who commits waits for it.
            installing = InstallAsync(upload, pin.Name, present, cancellationToken);
            isHandedOn = true;
        }
        finally
        {
            if (!isHandedOn) await upload.DisposeAsync();
        }
    }

    async Task<WantedBlock> FillBlockAsync(IChunkUpload upload, Stream source, CancellationToken cancellationToken)
    {
        var length = 0;
        while (filled > 0 && length < chunks.MaxBlockBytes)
        {
            if (installing.IsFaulted) await installing; // What follows would come in vain.
            var taken = Math.Min(filled, chunks.MaxBlockBytes - length);
            await upload.AppendAsync(buffer.AsMemory(start, taken), cancellationToken);
            length += taken;
            (start, filled) = (start + taken, filled - taken);
            if (filled == 0) await FillAsync(source, bufferBytes, cancellationToken);
        }

        return await upload.SealAsync(cancellationToken);
    }

    async Task InstallAsync(
        IChunkUpload upload, BlockName name, IReadOnlyCollection<NodeId> present, CancellationToken cancellationToken)
    {
        await using (upload) written[name] = [.. present, .. await upload.InstallAsync(name, present, cancellationToken)];
    }

    async Task FillAsync(Stream source, int wanted, CancellationToken cancellationToken)
    {
        // What the check may still look at stays as it is. Of what it looked at before that it is done.
        if (content.Check is not null) (buffer, other) = (other, buffer);
        if (buffer.Length == 0) buffer = ArrayPool<byte>.Shared.Rent(bufferBytes);
        (start, filled) = (0, 0);
        var count = await source.ReadAtLeastAsync(buffer.AsMemory(0, wanted), wanted, throwOnEndOfStream: false, cancellationToken);
        filled = count;
        Received += count;
        traffic.AddWritten(count);
        if (Received > content.ExpectedBytes) throw new ContentLengthException(path, content.ExpectedBytes.Value, Received);
        if (content.Check is not { } check) return;
        await checking;
        if (count < ShortBytes)
        {
            check.Append(buffer.AsSpan(0, count));
            return;
        }

        var looked = buffer.AsMemory(0, count);
        checking = Task.Run(() => check.Append(looked.Span), CancellationToken.None);
    }

    void RequireEnd()
    {
        if (content.ExpectedBytes is { } expected && Received != expected) throw new ContentLengthException(path, expected, Received);
    }
}
