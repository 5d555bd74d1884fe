using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>How a store is opened. Every size is in bytes.</summary>
public sealed record KeyValueOptions
{
    /// <summary>Defaults: durable, on the real disk.</summary>
    public static KeyValueOptions Default { get; } = new();

    /// <summary>The disk; null is the real one.</summary>
    public IFileSystem? FileSystem { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Chance: for the store's identity and the nonces of its log.</summary>
    public IEntropySource Entropy { get; init; } = SystemEntropy.Instance;

    /// <summary>Whether a missing store is created; otherwise opening it fails.</summary>
    public bool CreateIfMissing { get; init; } = true;

    /// <summary>Memory for writes that are not in tables yet; a full one is written to a table in the background.</summary>
    public long MemTableBytes { get; init; } = 32L << 20;

    /// <summary>Memory for blocks of tables.</summary>
    public long BlockCacheBytes { get; init; } = 64L << 20;

    /// <summary>Longest time that a <see cref="Durability.Relaxed"/> write may be at risk of power loss.</summary>
    public TimeSpan RelaxedLossTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Most bytes of <see cref="Durability.Relaxed"/> writes that may be at risk of power loss.</summary>
    public long RelaxedLossBytes { get; init; } = 8L << 20;
}
