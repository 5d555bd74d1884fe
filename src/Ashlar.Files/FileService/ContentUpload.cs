using System.Buffers;

namespace Ashlar.Files;

/// <summary>Takes content from a stream into blocks that an intent pins, in constant memory.</summary>
sealed class ContentUpload(IMetadataStore metadata, IChunkManager chunks, FileServiceOptions options, CustomerId customer, FilePath path,
    ContentOptions content)
    : IDisposable
{
    readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(options.BufferBytes, FileCommit.MaxInlineBytes + 1));
    readonly List<FileBlock> blocks = [];
    readonly Dictionary<BlockName, IReadOnlyCollection<NodeId>> written = [];
    int filled;
    bool wasKnown; // Where a block was there already, the next one probably is.

    /// <summary>Bytes that came.</summary>
    public long Received { get; private set; }

    /// <summary>The blocks, in order.</summary>
    public IReadOnlyList<FileBlock> Blocks => blocks;

    /// <summary>Copies that this upload answers for.</summary>
    public IReadOnlyDictionary<BlockName, IReadOnlyCollection<NodeId>> Written => written;

    /// <summary>Reads a little. What it gives is all, if it is no more than lies with the metadata.</summary>
    /// <returns>All of the content, if it is so short; null if it is not.</returns>
    public async Task<ReadOnlyMemory<byte>?> BeginAsync(Stream source, CancellationToken cancellationToken)
    {
        filled = await FillAsync(source, FileCommit.MaxInlineBytes + 1, cancellationToken);
        if (filled > FileCommit.MaxInlineBytes) return null;
        RequireEnd();
        return buffer.AsMemory(0, filled);
    }

    /// <summary>Reads the rest into blocks: each pinned before it is durable, and durable before anything refers to it.</summary>
    public async Task TakeAsync(Stream source, IntentToken intent, CancellationToken cancellationToken)
    {
        while (filled > 0) await TakeBlockAsync(source, intent, cancellationToken);
        RequireEnd();
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

    // No I/O uses it any more: all was waited for.
    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);

    // Of what is in the buffer and follows; leaves there what is of the next block.
    async Task TakeBlockAsync(Stream source, IntentToken intent, CancellationToken cancellationToken)
    {
        // What is left of what was announced, with what is in the buffer.
        var left = content.ExpectedBytes - (Received - filled);
        await using var upload = await chunks.BeginAsync(customer, new BlockExpectation(left, wasKnown), cancellationToken);
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

            filled = await FillAsync(source, buffer.Length, cancellationToken);
        }

        var wanted = await upload.SealAsync(cancellationToken);
        wasKnown = false;
        var pin = (await metadata.PinAsync(intent, [wanted], cancellationToken))[0];
        blocks.Add(new(pin.Name, wanted.LengthBytes));
        if (written.ContainsKey(pin.Name)) return; // Twice in one file.
        if (pin.Known is not { } known)
        {
            written[pin.Name] = await upload.InstallAsync(pin.Name, [], cancellationToken);
            return;
        }

        // A hit, if its copies are there now. If not, this upload has the content to make more, under the same name: what is listed and
        // not there counts for nothing.
        var present = await chunks.FindCopiesAsync(known, cancellationToken);
        wasKnown = present.Count >= chunks.RequiredCopies;
        if (!wasKnown)
            written[pin.Name] = [.. present, .. await upload.InstallAsync(pin.Name, present, cancellationToken)];
    }

    async Task<int> FillAsync(Stream source, int wanted, CancellationToken cancellationToken)
    {
        var count = await source.ReadAtLeastAsync(buffer.AsMemory(0, wanted), wanted, throwOnEndOfStream: false, cancellationToken);
        Received += count;
        if (Received > content.ExpectedBytes) throw new ContentLengthException(path, content.ExpectedBytes.Value, Received);
        content.Check?.Append(buffer.AsSpan(0, count));
        return count;
    }

    void RequireEnd()
    {
        if (content.ExpectedBytes is { } expected && Received != expected) throw new ContentLengthException(path, expected, Received);
    }
}
