using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

/// <summary>How a <see cref="BlockFileSystem"/> works.</summary>
public sealed record BlockFileSystemOptions
{
    /// <summary>Unit of space, when it is formatted: a power of two from 4 KiB to 256 KiB.</summary>
    public int UnitBytes { get; init; } = 64 * 1024;

    /// <summary>Bytes of each of the two areas for metadata, when it is formatted; null for a share of the region.</summary>
    public long? AreaBytes { get; init; }

    /// <summary>Memory for what was written and is not on the device yet; who writes more than that waits for the device.</summary>
    public long MaxDirtyBytes { get; init; } = 8 << 20;

    /// <summary>Memory for copies of what is on the device.</summary>
    public long CacheBytes { get; init; } = 16 << 20;

    /// <summary>Chance: for identities.</summary>
    public IEntropySource Entropy { get; init; } = SystemEntropy.Instance;

    internal CommitRules Rules { get; init; } = new();
}
