namespace Ashlar.Files;

/// <summary>A customer.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Name">Its name, which no other has.</param>
/// <param name="Quota">What its files may take.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record Customer(CustomerId Id, string Name, Quota Quota, DateTimeOffset CreatedAt);

/// <summary>What the files of a customer may take; <see cref="long.MaxValue"/> is no limit.</summary>
/// <param name="Bytes">
/// Most bytes, as files count them: blocks that files share count for each, and those that an open upload has pinned as if it were a file.
/// </param>
/// <param name="Files">Most files.</param>
public readonly record struct Quota(long Bytes, long Files)
{
    // Room for those who have few files.
    const long Spare = 1000, MaxUploads = 100_000, MaxParts = 10_000_000;

    /// <summary>No limit.</summary>
    public static Quota None { get; } = new(long.MaxValue, long.MaxValue);

    /// <summary>Most directories: as many as files, and a thousand.</summary>
    public long Directories => Files <= long.MaxValue - Spare ? Files + Spare : long.MaxValue;

    /// <summary>Most uploads that have not ended: as many as directories, but not more than 100,000.</summary>
    public long Uploads => Math.Min(Directories, MaxUploads);

    /// <summary>Most parts of open uploads: as many as files, and as one upload can have, but not more than ten million.</summary>
    public long Parts => Files <= MaxParts - UploadPart.MaxNumber ? Files + UploadPart.MaxNumber : MaxParts;
}

/// <summary>What files take.</summary>
/// <param name="Bytes">Bytes, as files count them.</param>
/// <param name="Files">Files.</param>
/// <param name="Directories">Directories, without the root.</param>
public readonly record struct Usage(long Bytes, long Files, long Directories)
{
    /// <summary>The sum.</summary>
    public static Usage operator +(Usage left, Usage right) =>
        new(left.Bytes + right.Bytes, left.Files + right.Files, left.Directories + right.Directories);

    /// <summary>The difference.</summary>
    public static Usage operator -(Usage left, Usage right) =>
        new(left.Bytes - right.Bytes, left.Files - right.Files, left.Directories - right.Directories);

    /// <inheritdoc cref="op_Addition"/>
    public static Usage Add(Usage left, Usage right) => left + right;

    /// <inheritdoc cref="op_Subtraction"/>
    public static Usage Subtract(Usage left, Usage right) => left - right;
}
