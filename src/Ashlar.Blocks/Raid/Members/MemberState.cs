namespace Ashlar.Blocks.Raid;

/// <summary>How far a member of a set can be relied on.</summary>
public enum MemberState
{
    /// <summary>There is no device in this place, or the one that was there has missed something.</summary>
    Missing = 0,

    /// <summary>It holds all that it should.</summary>
    InSync,

    /// <summary>It holds what it should up to a position.</summary>
    Rebuilding,

    /// <summary>It waits for a member to fail.</summary>
    Spare,
}
