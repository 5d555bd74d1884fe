namespace Ashlar.KeyValue;

/// <summary>Something that a repair could not take over.</summary>
/// <param name="FilePath">The file.</param>
/// <param name="OffsetBytes">Where in it.</param>
/// <param name="LengthBytes">How many bytes.</param>
/// <param name="Problem">What does not hold.</param>
/// <param name="Keys">The keys that it was about, as far as that is known; null where it is not.</param>
public sealed record RepairLoss(string FilePath, long OffsetBytes, long LengthBytes, string Problem, string? Keys)
{
    /// <inheritdoc />
    public override string ToString() =>
        $"{FilePath}: {LengthBytes} bytes at {OffsetBytes}: {Problem}{(Keys is null ? "" : $"; keys: {Keys}")}";
}

/// <summary>What a repair took over and what it did not.</summary>
public sealed record RepairReport
{
    /// <summary>Identity of the new store.</summary>
    public Guid StoreId { get; init; }

    /// <summary>Keys that the new store holds.</summary>
    public long Keys { get; init; }

    /// <summary>Largest sequence that was found.</summary>
    public ulong LastSequence { get; init; }

    /// <summary>
    /// Whether the manifest said which files count. Without it every file in the directory was used, also those that the store had
    /// done with: keys that were deleted long ago may be back.
    /// </summary>
    public bool HadManifest { get; init; }

    /// <summary>What was lost; empty if the store was whole.</summary>
    public IReadOnlyList<RepairLoss> Losses { get; init; } = [];
}
