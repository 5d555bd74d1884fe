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

    /// <summary>How many of a block's copies are there and may be relied on.</summary>
    Task<int> CountCopiesAsync(BlockLocations block, CancellationToken cancellationToken = default);

    /// <summary>Reads a part of a block, verified, from any of its copies.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="block">Which.</param>
    /// <param name="offsetBytes">Where in the block.</param>
    /// <param name="destination">Filled; it does not go beyond the end of the block.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    Task ReadAsync(
        CustomerId customer, FileBlock block, int offsetBytes, Memory<byte> destination, CancellationToken cancellationToken = default);
}

/// <summary>A block on its way to nodes. Disposed of before it is installed, nothing of it is left.</summary>
public interface IChunkUpload : IAsyncDisposable
{
    /// <summary>Takes what comes next.</summary>
    ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default);

    /// <summary>Ends the content: only now it is known what the block is called.</summary>
    Task<WantedBlock> SealAsync(CancellationToken cancellationToken = default);

    /// <summary>Makes the block durable under a name, on as many nodes as are required.</summary>
    /// <param name="name">The name; the block must be pinned under it.</param>
    /// <param name="holders">Nodes that have it already, and get no second copy.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The nodes that have it durably now, without the holders.</returns>
    Task<IReadOnlyCollection<NodeId>> InstallAsync(
        BlockName name, IReadOnlyCollection<NodeId> holders, CancellationToken cancellationToken = default);
}
