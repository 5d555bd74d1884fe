namespace Ashlar.Volumes;

/// <summary>What a check of a whole pool found.</summary>
/// <param name="Leaves">Leaves of the map.</param>
/// <param name="Chunks">Chunks that leaves own.</param>
/// <param name="BlocksRead">Blocks whose data was read and compared with their checksums.</param>
/// <param name="Problems">Everything that does not hold, up to 1,000 findings; empty for a sound pool.</param>
public sealed record PoolVerification(long Leaves, long Chunks, long BlocksRead, IReadOnlyList<string> Problems)
{
    /// <summary>Whether nothing is wrong.</summary>
    public bool IsClean => Problems.Count == 0;
}
