namespace Ashlar.Api;

/// <summary>
/// A line of the catalogue, which is a stream of them: <see cref="Head"/> first, then for each volume <see cref="Volume"/>, its
/// <see cref="Blocks"/>, and <see cref="End"/> last. One member is there.
/// </summary>
public sealed record CatalogueEntry
{
    /// <summary>What it is the catalogue of.</summary>
    public CatalogueHead? Head { get; init; }

    /// <summary>A volume.</summary>
    public CatalogueVolume? Volume { get; init; }

    /// <summary>Blocks of the volume before it.</summary>
    public CatalogueBlocks? Blocks { get; init; }

    /// <summary>A snapshot of the volume before it.</summary>
    public CatalogueSnapshot? Snapshot { get; init; }

    /// <summary>That all of it was there: a stream without it is cut off.</summary>
    public CatalogueEnd? End { get; init; }
}

/// <summary>What a catalogue is of.</summary>
/// <param name="ApiVersion">Version of these objects.</param>
/// <param name="Kind">"Catalogue".</param>
/// <param name="CreatedAt">When it was begun.</param>
public sealed record CatalogueHead(string ApiVersion, string Kind, DateTimeOffset CreatedAt);

/// <summary>A row of the table of volumes.</summary>
/// <param name="Id">Identity that never changes and is never reused.</param>
/// <param name="Pool">The pool that it is in.</param>
/// <param name="Name">Unique within the pool.</param>
/// <param name="SizeBytes">What clients see.</param>
/// <param name="ProvisionedBytes">Space of the pool that it occupies.</param>
/// <param name="Status">"online", or "resizing".</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="SnapshotId">The snapshot that it is a clone of; absent when of none.</param>
public sealed record CatalogueVolume(
    Guid Id,
    string Pool,
    string Name,
    long SizeBytes,
    long ProvisionedBytes,
    string Status,
    DateTimeOffset CreatedAt,
    Guid? SnapshotId = null);

/// <summary>Blocks of 4,096 bytes that hold data and lie one after the other, in the volume and on the node.</summary>
/// <param name="LogicalBlock">The first of them.</param>
/// <param name="Count">How many.</param>
/// <param name="PhysicalNode">What holds them: the pool.</param>
/// <param name="PhysicalOffset">Where the first lies there, in bytes.</param>
public sealed record CatalogueBlocks(long LogicalBlock, long Count, string PhysicalNode, long PhysicalOffset);

/// <summary>A row of the table of snapshots.</summary>
/// <param name="Id">Identity that never changes and is never reused.</param>
/// <param name="CreatedAt">When it was taken.</param>
/// <param name="SizeBytes">What the volume had then.</param>
/// <param name="ParentSnapshotId">The one before it; absent for the first.</param>
public sealed record CatalogueSnapshot(Guid Id, DateTimeOffset CreatedAt, long SizeBytes, Guid? ParentSnapshotId = null);

/// <summary>The end of a catalogue.</summary>
/// <param name="Volumes">How many volumes there were.</param>
/// <param name="Blocks">How many blocks.</param>
/// <param name="UnreadablePieces">Pieces of maps, of a MiB each, that cannot be read; their blocks are missing.</param>
public sealed record CatalogueEnd(long Volumes, long Blocks, long UnreadablePieces);
