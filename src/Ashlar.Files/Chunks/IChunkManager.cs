namespace Ashlar.Files;

/// <summary>Blocks as the file service sees them: on which nodes they lie, and from which they are read, is decided behind it.</summary>
public interface IChunkManager
{
    /// <summary>Longest block.</summary>
    int MaxBlockBytes { get; }

    /// <summary>Copies that a block must have before a file refers to it.</summary>
    int RequiredCopies { get; }

    /// <summary>Copies that a block should have.</summary>
    int WantedCopies { get; }

    /// <summary>Every node that blocks may have been written to, those that are away too.</summary>
    IReadOnlyCollection<NodeId> Nodes { get; }

    /// <summary>Begins a block whose content and length are not known yet. Dispose what is returned.</summary>
    Task<IChunkUpload> BeginAsync(CustomerId customer, CancellationToken cancellationToken = default);

    /// <summary>Begins a block of which something is expected.</summary>
    Task<IChunkUpload> BeginAsync(CustomerId customer, BlockExpectation expectation, CancellationToken cancellationToken = default) =>
        BeginAsync(customer, cancellationToken);

    /// <summary>Which of the nodes that are listed for a block, and belong to the store, have it now.</summary>
    Task<IReadOnlyCollection<NodeId>> FindCopiesAsync(BlockLocations block, CancellationToken cancellationToken = default);

    /// <summary>
    /// Says that a commit has recorded blocks which were installed for it: copies that become durable from then on are recorded as well.
    /// </summary>
    void Committed(CustomerId customer, IEnumerable<BlockName> blocks)
    {
        // Who makes no copies later has none to record.
    }

    /// <summary>Reads a part of a block, verified, from any of its copies.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="block">Which.</param>
    /// <param name="offsetBytes">Where in the block.</param>
    /// <param name="destination">Filled; it does not go beyond the end of the block.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    Task ReadAsync(
        CustomerId customer, FileBlock block, int offsetBytes, Memory<byte> destination, CancellationToken cancellationToken = default);

    /// <summary>Writes a range of what blocks make up to a stream, in constant memory.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="blocks">The blocks, in order.</param>
    /// <param name="offsetBytes">Where the range begins, counted from the beginning of the first block.</param>
    /// <param name="lengthBytes">How long it is; it does not go beyond the last block.</param>
    /// <param name="destination">Gets it.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    async Task CopyToAsync(
        CustomerId customer, IReadOnlyList<FileBlock> blocks, long offsetBytes, long lengthBytes, Stream destination,
        CancellationToken cancellationToken = default)
    {
        // One part after another. Who has several nodes fetches ahead.
        var buffer = new byte[(int)Math.Clamp(lengthBytes, 1, BufferPool.DefaultBufferBytes)];
        var start = 0L;
        foreach (var block in blocks)
        {
            var from = (int)Math.Clamp(offsetBytes - start, 0, block.LengthBytes);
            var end = (int)Math.Clamp(offsetBytes + lengthBytes - start, 0, block.LengthBytes);
            while (from < end)
            {
                var part = buffer.AsMemory(0, Math.Min(buffer.Length, end - from));
                await ReadAsync(customer, block, from, part, cancellationToken);
                await destination.WriteAsync(part, cancellationToken);
                from += part.Length;
            }

            start += block.LengthBytes;
        }
    }
}

/// <summary>What is expected of a block before it comes. Nothing depends on it but what is done in vain.</summary>
/// <param name="LengthBytes">How long it will be at most: nodes without so much space are not asked. Null where nobody has said.</param>
/// <param name="IsLikelyKnown">Whether the store has it, probably: then no node gets its bytes before that is known.</param>
public readonly record struct BlockExpectation(long? LengthBytes = null, bool IsLikelyKnown = false);

/// <summary>A block on its way to nodes. Disposed of before it is installed, nothing of it is left.</summary>
public interface IChunkUpload : IAsyncDisposable
{
    /// <summary>Takes what comes next.</summary>
    ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default);

    /// <summary>Ends the content: only now it is known what the block is called.</summary>
    Task<WantedBlock> SealAsync(CancellationToken cancellationToken = default);

    /// <summary>Makes the block durable under a name, on as many nodes as are required.</summary>
    /// <param name="name">The name; the block must be pinned under it.</param>
    /// <param name="holders">Nodes that were asked just now and have it already: they get no second copy.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The nodes that have it durably now, without the holders.</returns>
    Task<IReadOnlyCollection<NodeId>> InstallAsync(
        BlockName name, IReadOnlyCollection<NodeId> holders, CancellationToken cancellationToken = default);
}
