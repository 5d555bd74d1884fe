using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>
/// How snapshots of a volume are taken and kept by themselves: one at the beginning of the shortest period that is named, in UTC; of each
/// period the first stays, of so many of them.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SnapshotSchedule
{
    /// <summary>Hours; 0 for none.</summary>
    public int Hourly { get; init; }

    /// <summary>Days.</summary>
    public int Daily { get; init; }

    /// <summary>Weeks, which begin on Monday.</summary>
    public int Weekly { get; init; }

    /// <summary>Months.</summary>
    public int Monthly { get; init; }
}
