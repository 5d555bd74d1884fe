using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>How a file service works.</summary>
public sealed record FileServiceOptions
{
    /// <summary>Who uploads, for people who look at the list of uploads.</summary>
    public string Owner { get; init; } = "file service";

    /// <summary>How long the pins of an upload hold after the last sign of life; it is renewed three times in as long.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long an upload in parts is kept after its last part.</summary>
    public TimeSpan PartsLease { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Memory that an upload takes, beside what the nodes take.</summary>
    public int BufferBytes { get; init; } = 256 << 10;

    /// <summary>The clock that says when to renew. Leases themselves go by the clock of the metadata store.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Chance, for the numbers of uploads.</summary>
    public IEntropySource Entropy { get; init; } = SystemEntropy.Instance;
}

/// <summary>How content is taken.</summary>
public record ContentOptions
{
    /// <summary>How long the content has to be; null takes what comes.</summary>
    public long? ExpectedBytes { get; init; }

    /// <summary>What looks at the content while it comes; null is nothing.</summary>
    public IContentCheck? Check { get; init; }
}

/// <summary>How a file is created.</summary>
public sealed record CreateFileOptions : ContentOptions
{
    /// <summary>On what it depends that the file takes the name.</summary>
    public CommitCondition Condition { get; init; } = CommitCondition.MustNotExist;

    /// <summary>What is kept beside the content.</summary>
    public FileProperties Properties { get; init; } = FileProperties.Empty;

    /// <summary>Whether directories that are missing above the file are made: see <see cref="CreateDirectoryOptions"/>.</summary>
    public bool CreateParents { get; init; }

    /// <summary>
    /// The number of the upload, of whoever may have to repeat it because the answer was lost: with the same number the same file is made
    /// once. Null draws one.
    /// </summary>
    public ulong? UploadId { get; init; }
}

/// <summary>How a file is copied by the service: as <see cref="FileCopy"/>, whose number it draws if none is given.</summary>
public sealed record CopyFileOptions
{
    /// <inheritdoc cref="FileCopy.IfTag"/>
    public string? IfTag { get; init; }

    /// <inheritdoc cref="FileCopy.Condition"/>
    public CommitCondition Condition { get; init; } = CommitCondition.MustNotExist;

    /// <inheritdoc cref="FileCopy.Properties"/>
    public FileProperties? Properties { get; init; }

    /// <inheritdoc cref="FileCopy.Tag"/>
    public string? Tag { get; init; }

    /// <inheritdoc cref="FileCopy.CreateParents"/>
    public bool CreateParents { get; init; }

    /// <inheritdoc cref="CreateFileOptions.UploadId"/>
    public ulong? UploadId { get; init; }
}

/// <summary>How an upload in parts begins.</summary>
public sealed record BeginPartsOptions
{
    /// <inheritdoc cref="CreateFileOptions.Properties"/>
    public FileProperties Properties { get; init; } = FileProperties.Empty;

    /// <inheritdoc cref="CreateFileOptions.CreateParents"/>
    public bool CreateParents { get; init; }

    /// <summary>How long the file will be: the quota is tested at once. Null tests it at the end alone.</summary>
    public long? ExpectedBytes { get; init; }

    /// <inheritdoc cref="CreateFileOptions.UploadId"/>
    public ulong? UploadId { get; init; }
}

/// <summary>How an upload in parts becomes a file.</summary>
public sealed record CompletePartsOptions
{
    /// <inheritdoc cref="CreateFileOptions.Condition"/>
    public CommitCondition Condition { get; init; } = CommitCondition.MustNotExist;

    /// <summary>The file's entity tag; null is the store's own.</summary>
    public string? Tag { get; init; }

    /// <summary>What is kept beside the content, with what was given at the beginning.</summary>
    public FileProperties Properties { get; init; } = FileProperties.Empty;
}
