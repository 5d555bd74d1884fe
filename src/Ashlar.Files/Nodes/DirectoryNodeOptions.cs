namespace Ashlar.Files;

/// <summary>How a storage node in a directory behaves.</summary>
public sealed record DirectoryNodeOptions
{
    /// <summary>What is left free: for names, and for whatever else is on the disk.</summary>
    public long ReserveBytes { get; init; } = 256 << 20;

    /// <summary>Requests that are at the disk at a time.</summary>
    public int DiskDepth { get; init; } = 16;

    /// <summary>Requests that may wait, those at the disk included; more are refused at once.</summary>
    public int QueueLimit { get; init; } = 512;

    /// <summary>How long a node that is asked about its health waits for its disk before it answers with what it knew.</summary>
    public TimeSpan HealthPatience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After so long without an answer to any of the requests that it has, the disk counts as not there.</summary>
    public TimeSpan HangLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>An upload that nobody has gone on with for so long is forgotten.</summary>
    public TimeSpan UploadIdleLimit { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a block that was taken away can be put back, counted while the node is open.</summary>
    public TimeSpan TrashPeriod { get; init; } = TimeSpan.FromHours(24);
}
