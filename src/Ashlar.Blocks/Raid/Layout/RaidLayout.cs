using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// Which member holds which chunk. A stripe is one chunk of every member, at the same place of each. What lies where is part of what
/// is on disk, and never changes.
/// </summary>
/// <remarks>
/// <para>RAID-5 and RAID-6 rotate as Linux md does by default (left-symmetric): the parity moves one member to the left with each
/// stripe, Q stands behind P, and the data begins behind the parity. So chunks that follow each other lie on different members, and as
/// many as there are members keep all of them busy.</para>
/// <code>
///   RAID-5 of 4: stripe 0   D0 D1 D2 P        RAID-6 of 5: stripe 0   Q  D0 D1 D2 P
///                stripe 1   D1 D2 P  D0                    stripe 1   D0 D1 D2 P  Q
///                stripe 2   D2 P  D0 D1                    stripe 2   D1 D2 P  Q  D0
/// </code>
/// <para>RAID-10: data 0 on members 0 and 1, data 1 on members 2 and 3, and so on.</para>
/// </remarks>
sealed class RaidLayout
{
    /// <summary>Most members of a set: what the powers in Q tell apart, and more than anybody should trust to two parities.</summary>
    public const int MaxMembers = 64;

    /// <summary>The layout of a level over so many members.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are too few of them, too many, or for pairs an odd number.</exception>
    public RaidLayout(RaidLevel level, int memberCount)
    {
        var least = LeastMembers(level);
        if (!IsPossible(level, memberCount))
        {
            var even = level == RaidLevel.Raid10 ? ", an even number" : "";
            throw new ArgumentOutOfRangeException(
                nameof(memberCount), memberCount, $"RAID-{(int)level} takes {least} to {MaxMembers} devices{even}.");
        }

        (Level, MemberCount) = (level, memberCount);
        (DataPerStripe, ParityPerStripe, Copies) = level switch
        {
            RaidLevel.Raid0 => (memberCount, 0, 1),
            RaidLevel.Raid1 => (1, 0, memberCount),
            RaidLevel.Raid5 => (memberCount - 1, 1, 1),
            RaidLevel.Raid6 => (memberCount - 2, 2, 1),
            _ => (memberCount / 2, 0, 2),
        };
    }

    public RaidLevel Level { get; }

    public int MemberCount { get; }

    /// <summary>Chunks of data in a stripe.</summary>
    public int DataPerStripe { get; }

    /// <summary>Chunks of parity in a stripe.</summary>
    public int ParityPerStripe { get; }

    /// <summary>Members that hold a chunk of data as it is.</summary>
    public int Copies { get; }

    /// <summary>Fewest members of a level.</summary>
    public static int LeastMembers(RaidLevel level) => level switch
    {
        RaidLevel.Raid0 or RaidLevel.Raid1 => 2,
        RaidLevel.Raid5 => 3,
        RaidLevel.Raid6 or RaidLevel.Raid10 => 4,
        _ => throw new ArgumentOutOfRangeException(nameof(level), level, "Not a level of RAID."),
    };

    public static bool IsPossible(RaidLevel level, int memberCount) =>
        memberCount >= LeastMembers(level) && memberCount <= MaxMembers && (level != RaidLevel.Raid10 || memberCount % 2 == 0);

    /// <summary>In which stripe a chunk of the device lies, and which of its data it is.</summary>
    public (long Stripe, int Index) Locate(long chunk) => (chunk / DataPerStripe, (int)(chunk % DataPerStripe));

    /// <summary>The chunk of the device that is some data of a stripe.</summary>
    public long ChunkOf(long stripe, int index) => (stripe * DataPerStripe) + index;

    /// <summary>A member that holds data of a stripe.</summary>
    /// <param name="stripe">The stripe.</param>
    /// <param name="index">Which of its data.</param>
    /// <param name="copy">Which of its copies.</param>
    public int MemberOfData(long stripe, int index, int copy = 0)
    {
        Invariant.Require((uint)index < (uint)DataPerStripe && (uint)copy < (uint)Copies);
        return ParityPerStripe > 0
            ? (MemberOfP(stripe) + ParityPerStripe + index) % MemberCount
            : (index * Copies) + copy;
    }

    /// <summary>The member that holds P of a stripe.</summary>
    public int MemberOfP(long stripe)
    {
        Invariant.Require(ParityPerStripe > 0);
        return MemberCount - 1 - (int)(stripe % MemberCount);
    }

    /// <summary>The member that holds Q of a stripe.</summary>
    public int MemberOfQ(long stripe)
    {
        Invariant.Require(ParityPerStripe > 1);
        return (MemberOfP(stripe) + 1) % MemberCount;
    }

    /// <summary>What a member holds of a stripe.</summary>
    public ChunkRole RoleOf(long stripe, int member)
    {
        Invariant.Require((uint)member < (uint)MemberCount);
        if (ParityPerStripe == 0) return new(ChunkKind.Data, member / Copies);
        var behindP = (member - MemberOfP(stripe) + MemberCount) % MemberCount;
        if (behindP == 0) return new(ChunkKind.P);
        return behindP < ParityPerStripe ? new(ChunkKind.Q) : new(ChunkKind.Data, behindP - ParityPerStripe);
    }

    /// <summary>Whether all data is still there, or can be calculated, without some members.</summary>
    public bool Survives(IReadOnlySet<int> lost)
    {
        Invariant.Require(lost.All(member => (uint)member < (uint)MemberCount));
        if (Copies == 1) return lost.Count <= ParityPerStripe;
        for (var index = 0; index < DataPerStripe; index++)
            if (Enumerable.Range(index * Copies, Copies).All(lost.Contains)) return false;
        return true;
    }
}
