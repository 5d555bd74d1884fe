using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>A pool cannot grow as it is, whatever room there is.</summary>
/// <param name="pool">The pool.</param>
/// <param name="why">Why, and what helps.</param>
public sealed class PoolGrowthException(string pool, string why) : AshlarException($"pool {pool} cannot grow: {why}");
