namespace Ashlar.Api;

/// <summary>The file store at a glance.</summary>
public sealed record FileStoreStatus
{
    /// <summary>"available" or "unavailable".</summary>
    public required string State { get; init; }

    /// <summary>Storage nodes that there are.</summary>
    public int NodeCount { get; init; }

    /// <summary>Storage nodes that take blocks.</summary>
    public int UsableNodeCount { get; init; }

    /// <summary>Failure domains that the nodes are in.</summary>
    public int DomainCount { get; init; }

    /// <summary>Copies that new blocks get.</summary>
    public int Copies { get; init; }

    /// <summary>Copies that are durable when a block is acknowledged.</summary>
    public int AcknowledgedCopies { get; init; }

    /// <summary>What could be lost, by how the nodes are; absent where nothing is at risk by it.</summary>
    public string? Risk { get; init; }

    /// <summary>The file with the first key; absent where there is none.</summary>
    public string? KeyFile { get; init; }

    /// <summary>What is kept for readers; absent where the store cannot be used.</summary>
    public FileCacheStatus? Cache { get; init; }
}
