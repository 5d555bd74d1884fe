namespace Ashlar.Simulation;

/// <summary>What happens instead of an operation.</summary>
public enum FaultKind
{
    /// <summary>Nothing is done; EIO.</summary>
    InputOutputError = 0,

    /// <summary>Nothing is done; ENOSPC.</summary>
    NoSpace,

    /// <summary>Nothing is done; EFBIG: the file system has no files that large.</summary>
    TooLarge,

    /// <summary>Nothing is done; EROFS.</summary>
    ReadOnly,

    /// <summary>Nothing is done; EOPNOTSUPP: the file system has no such operation.</summary>
    NotSupported,

    /// <summary>For writes: the first half is written, then EIO. Other operations: as <see cref="InputOutputError"/>.</summary>
    ShortWrite,

    /// <summary>For writes: the first half is written, then ENOSPC. Other operations: as <see cref="NoSpace"/>.</summary>
    NoSpaceHalfWay,

    /// <summary>
    /// For <see cref="FaultOperations.Sync"/>: EIO, and everything written since the file's last sync is gone. The next sync
    /// succeeds, as it does on Linux, where a failed one leaves the pages marked clean.
    /// </summary>
    LostSync,

    /// <summary>For reads: one bit of what was read is wrong. No error.</summary>
    BitFlip,

    /// <summary>Nothing is done, and success is reported. Plants the bug of a forgotten sync.</summary>
    Skip,

    /// <summary>Nothing is done, because an allocation on the way to the disk failed.</summary>
    OutOfMemory,
}

/// <summary>Which operations fail, when, and how.</summary>
/// <param name="Operations">Kinds of operation it applies to.</param>
/// <param name="Kind">How they fail.</param>
public sealed record FaultRule(FaultOperations Operations, FaultKind Kind)
{
    /// <summary>
    /// Paths it applies to: '*' stands for any letters, '/' included, '?' for one. A rename matches by either path.
    /// </summary>
    public string PathPattern { get; init; } = "*";

    /// <summary>The first match that fails, counted from 1.</summary>
    public int Nth { get; init; } = 1;

    /// <summary>Whether all later matches fail as well.</summary>
    public bool IsSticky { get; init; }
}
