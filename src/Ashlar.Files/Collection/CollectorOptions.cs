namespace Ashlar.Files;

/// <summary>How the collector works.</summary>
public sealed record CollectorOptions
{
    /// <summary>How long a block is left alone after its last use.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long it stays condemned before it is deleted.</summary>
    public TimeSpan CondemnedFor { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Steps in a second at the most; null is no limit.</summary>
    public double? StepsPerSecond { get; init; }

    /// <summary>Rows that are asked for at a time.</summary>
    public int PageRows { get; init; } = 256;

    /// <summary>The clock of the throttle; periods go by that of the metadata store.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

/// <summary>What a pass of the collector did.</summary>
/// <param name="Released">Uploads whose leavings were taken back.</param>
/// <param name="Condemned">Blocks that were condemned.</param>
/// <param name="Deleting">Blocks whose deletion began.</param>
/// <param name="Deleted">Blocks of which nothing is left.</param>
/// <param name="Waiting">Blocks that wait for a node that is away.</param>
/// <param name="Purged">Copies that went for good out of the trash of their nodes.</param>
/// <param name="Damaged">Uploads and blocks that were left alone, because what the metadata tell of them is damaged.</param>
/// <param name="DeletedBytes">Length of the blocks of which nothing is left, each once.</param>
public sealed record CollectionReport(
    int Released, int Condemned, int Deleting, int Deleted, int Waiting, int Purged, int Damaged = 0, long DeletedBytes = 0);
