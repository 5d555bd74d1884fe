namespace Ashlar.Api;

/// <summary>Where a volume holds data, and where it is read and written, by regions.</summary>
public sealed record VolumeMap
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"VolumeMap".</summary>
    public string Kind { get; init; } = nameof(VolumeMap);

    /// <summary>The pool that it is in.</summary>
    public required string Pool { get; init; }

    /// <summary>The volume.</summary>
    public required string Volume { get; init; }

    /// <summary>What clients see.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Length of a region; the last one may be shorter.</summary>
    public required long RegionBytes { get; init; }

    /// <summary>For each region, what of it holds data in places that are this volume's alone.</summary>
    public required IReadOnlyList<long> ExclusiveBytes { get; init; }

    /// <summary>For each region, what of it holds data that snapshots, or the volume that it was cloned from, have as well.</summary>
    public required IReadOnlyList<long> SharedBytes { get; init; }

    /// <summary>For each region, what of it has a place and holds no data.</summary>
    public required IReadOnlyList<long> ReservedBytes { get; init; }

    /// <summary>The snapshot that was asked for; absent where none was.</summary>
    public string? Since { get; init; }

    /// <summary>
    /// For each region, what of it was written, discarded or added since that snapshot; it is among the others as well. Absent where none
    /// was asked for.
    /// </summary>
    public IReadOnlyList<long>? ChangedBytes { get; init; }

    /// <summary>Pieces of the map, of a MiB each, that cannot be read and are left out.</summary>
    public required long UnreadablePieces { get; init; }

    /// <summary>What was read and written lately.</summary>
    public required VolumeAccesses Accesses { get; init; }
}

/// <summary>How often the regions of a volume were read and written lately, since the server was started at the earliest.</summary>
/// <param name="RegionBytes">Length of a region; another one than that of the map.</param>
/// <param name="HalfLifeSeconds">After so long all counts are halved.</param>
/// <param name="Reads">Reads that touched a region, from the beginning of the volume; regions that are not listed were not touched.</param>
/// <param name="Writes">The same of writes.</param>
public sealed record VolumeAccesses(long RegionBytes, long HalfLifeSeconds, IReadOnlyList<long> Reads, IReadOnlyList<long> Writes);

/// <summary>Extents of a volume, in order.</summary>
public sealed record ExtentList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"ExtentList".</summary>
    public string Kind { get; init; } = nameof(ExtentList);

    /// <summary>The extents, or some of them.</summary>
    public required IReadOnlyList<VolumeExtent> Items { get; init; }

    /// <summary>Where the list goes on; absent at its end.</summary>
    public string? Next { get; init; }
}

/// <summary>A range of a volume whose blocks have one state.</summary>
/// <param name="OffsetBytes">Where it begins.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="State">
/// "unallocated": without a place, reads as zeros; "reserved": a place is kept, reads as zeros; "exclusive": data in places that are this
/// volume's alone; "shared": data that snapshots, or the volume that it was cloned from, have as well; "unreadable": the map cannot be
/// read there.
/// </param>
public sealed record VolumeExtent(long OffsetBytes, long LengthBytes, string State);
