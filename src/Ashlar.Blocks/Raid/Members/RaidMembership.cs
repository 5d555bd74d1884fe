namespace Ashlar.Blocks.Raid;

/// <summary>What a device says of the set that it belongs to, whether or not that still knows it.</summary>
/// <param name="SetId">The set's id.</param>
/// <param name="MemberId">The device's id in it.</param>
/// <param name="Level">How the devices are made one.</param>
/// <param name="MemberCount">Places in the set.</param>
/// <param name="IsSpare">Whether it waits for a member to fail.</param>
/// <param name="Holder">Who has the set open, as far as this device knows; null where it was closed, or nobody said so.</param>
public sealed record RaidMembership(Guid SetId, Guid MemberId, RaidLevel Level, int MemberCount, bool IsSpare, RaidHost? Holder)
{
    /// <summary>The member that it is made a copy of, to have its place; null for none.</summary>
    public Guid? Replaces { get; init; }
}
