namespace Ashlar.Api;

/// <summary>What is kept of the content of files, and how often it was asked for. Counts are since the server began to serve.</summary>
public sealed record FileCacheStatus
{
    /// <summary>Pieces of blocks that were in memory.</summary>
    public required long MemoryHits { get; init; }

    /// <summary>Those that were not.</summary>
    public required long MemoryMisses { get; init; }

    /// <summary>Directory of the cache on a disk; absent where there is none.</summary>
    public string? Directory { get; init; }

    /// <summary>Pieces that were not in memory and on that disk.</summary>
    public long DiskHits { get; init; }

    /// <summary>Those that came from the nodes.</summary>
    public long DiskMisses { get; init; }

    /// <summary>What the disk has.</summary>
    public long DiskBytes { get; init; }

    /// <summary>What it can have.</summary>
    public long DiskCapacityBytes { get; init; }

    /// <summary>Why that disk is passed by; absent while it is used.</summary>
    public string? Problem { get; init; }
}
