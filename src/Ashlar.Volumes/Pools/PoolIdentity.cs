namespace Ashlar.Volumes;

/// <summary>Which pool a device says that it holds.</summary>
/// <param name="Id">Identity of the pool.</param>
/// <param name="Name">What it was called when it was created.</param>
/// <param name="CreatedAt">When that was.</param>
public sealed record PoolIdentity(Guid Id, string Name, DateTimeOffset CreatedAt);
