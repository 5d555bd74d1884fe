namespace Ashlar.Files;

/// <summary>
/// What an upload shows to prove that it is still the one that holds its intent. Whoever opens the intent again gets a higher fence, and
/// what shows a lower one is refused.
/// </summary>
/// <param name="Customer">Whose.</param>
/// <param name="Id">The number of the upload.</param>
/// <param name="Fence">Grows each time the intent is opened, also when it had ended.</param>
public readonly record struct IntentToken(CustomerId Customer, ulong Id, ulong Fence);

/// <summary>What an upload is to become.</summary>
public sealed record IntentRequest
{
    /// <summary>The number, of the caller's choice (<see cref="UploadId"/>): the file gets it.</summary>
    public required ulong Id { get; init; }

    /// <summary>The file that is to be.</summary>
    public required FilePath Path { get; init; }

    /// <summary>Who uploads, for people: at most 255 bytes.</summary>
    public required string Owner { get; init; }

    /// <summary>How long the pins hold unless the intent is renewed.</summary>
    public required TimeSpan Lease { get; init; }

    /// <summary>Whether it comes in parts, in any order.</summary>
    public bool IsInParts { get; init; }

    /// <summary>What is to be kept beside the file; of an intent that is open already, that of its first opening.</summary>
    public FileProperties Properties { get; init; } = FileProperties.Empty;

    /// <summary>Whether directories that are missing above the file are to be made.</summary>
    public bool CreateParents { get; init; }

    /// <summary>How long it will be: the quota is tested at once. Null tests it at the commit alone.</summary>
    public long? ExpectedBytes { get; init; }
}

/// <summary>An upload that has not ended.</summary>
public sealed record UploadIntent
{
    /// <summary>What its holder shows.</summary>
    public required IntentToken Token { get; init; }

    /// <summary>The file that is to be.</summary>
    public required FilePath Path { get; init; }

    /// <summary>Who uploads, for people.</summary>
    public required string Owner { get; init; }

    /// <summary>When it was first opened.</summary>
    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>Until when its pins hold, unless it is renewed.</summary>
    public required DateTimeOffset LeaseEndsAt { get; init; }

    /// <summary>Whether it has ended, and only what it wrote in vain is left to be taken back.</summary>
    public required bool IsReleased { get; init; }

    /// <summary>Whether it comes in parts.</summary>
    public bool IsInParts { get; init; }

    /// <summary>Whether directories that are missing above the file are to be made.</summary>
    public bool CreateParents { get; init; }

    /// <summary>What is to be kept beside the file.</summary>
    public FileProperties Properties { get; init; } = FileProperties.Empty;
}

/// <summary>A block that an upload is about to refer to.</summary>
/// <param name="Hash">What it holds.</param>
/// <param name="LengthBytes">Its length.</param>
public readonly record struct WantedBlock(ContentHash Hash, int LengthBytes);

/// <summary>What pinning a block came to.</summary>
/// <param name="Name">The block under which the content is stored, or to be stored.</param>
/// <param name="Known">Where it is, if the store has the content; null if it must be uploaded.</param>
public sealed record PinnedBlock(BlockName Name, BlockLocations? Known);
