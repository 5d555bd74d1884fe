using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>How a file service works.</summary>
public sealed record FileServiceOptions
{
    /// <summary>Who uploads, for people who look at the list of uploads.</summary>
    public string Owner { get; init; } = "file service";

    /// <summary>How long the pins of an upload hold after the last sign of life; it is renewed three times in as long.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Memory that an upload takes, beside what the nodes take.</summary>
    public int BufferBytes { get; init; } = 256 << 10;

    /// <summary>The clock that says when to renew. Leases themselves go by the clock of the metadata store.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Chance, for the numbers of uploads.</summary>
    public IEntropySource Entropy { get; init; } = SystemEntropy.Instance;
}

/// <summary>How a file is created.</summary>
public sealed record CreateFileOptions
{
    /// <summary>On what it depends that the file takes the name.</summary>
    public CommitCondition Condition { get; init; } = CommitCondition.MustNotExist;

    /// <summary>How long the content has to be; null takes what comes.</summary>
    public long? ExpectedBytes { get; init; }

    /// <summary>
    /// The number of the upload, of whoever may have to repeat it because the answer was lost: with the same number the same file is made
    /// once. Null draws one.
    /// </summary>
    public ulong? UploadId { get; init; }
}
