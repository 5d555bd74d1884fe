namespace Ashlar.Volumes;

/// <summary>How often the regions of a volume were read and written lately, since the pool was opened at the earliest.</summary>
/// <param name="RegionBytes">Length of a region.</param>
/// <param name="Reads">Reads that touched a region, from the beginning of the volume; regions beyond the last were not touched.</param>
/// <param name="Writes">The same of writes.</param>
public sealed record AccessReport(long RegionBytes, IReadOnlyList<long> Reads, IReadOnlyList<long> Writes)
{
    /// <summary>After so long all counts are halved.</summary>
    public static readonly TimeSpan HalfLife = TimeSpan.FromHours(1);
}
