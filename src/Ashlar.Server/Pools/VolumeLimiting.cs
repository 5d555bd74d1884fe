using Ashlar.Api;
using Ashlar.Blocks;

namespace Ashlar.Server;

/// <summary>What a request makes of the limits that a volume has.</summary>
static class VolumeLimiting
{
    /// <summary>The new limits: 0 lifts one, and what the request does not name stays.</summary>
    /// <exception cref="ApiException">A limit is negative.</exception>
    public static RateLimits Apply(ChangeLimits? request, RateLimits current) => new(
        Apply("iops", request?.Iops, current.Iops),
        Apply("bytesPerSecond", request?.BytesPerSecond, current.BytesPerSecond));

    static long? Apply(string member, long? asked, long? current) => asked switch
    {
        null => current,
        0 => null,
        > 0 => asked,
        _ => throw new ApiException(ProblemKind.InvalidRequest, $"'limits.{member}' is a number a second, or 0 for no limit, not {asked}"),
    };
}
