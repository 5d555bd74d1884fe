namespace Ashlar.Blocks.Raid;

/// <summary>A machine that has a set in use.</summary>
/// <param name="Id">What it is known by: no two machines have the same.</param>
/// <param name="Name">What people call it.</param>
public sealed record RaidHost(Guid Id, string Name);
