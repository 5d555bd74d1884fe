namespace Ashlar.Blocks.Raid;

/// <summary>What all members say of one place in the set.</summary>
/// <param name="Id">The device that has the place, or had it last.</param>
/// <param name="State">Whether it is in sync.</param>
/// <param name="LeftAt">
/// Where it is missing: the generation at which it was in sync for the last time. A member that says more has gone on without the others.
/// </param>
/// <param name="RebuiltBytes">While it is rebuilt: how much of its data is right, from the beginning on.</param>
/// <param name="IsByRegions">
/// While it is rebuilt: whether it was away for a while only, so that all regions that nobody marked are right.
/// </param>
readonly record struct MemberEntry(Guid Id, MemberState State, long LeftAt = 0, long RebuiltBytes = 0, bool IsByRegions = false);
