namespace Ashlar.Blocks.Raid;

/// <summary>How devices are made one device.</summary>
public enum RaidLevel
{
    /// <summary>Striped, without redundancy.</summary>
    Raid0 = 0,

    /// <summary>Each member holds all.</summary>
    Raid1 = 1,

    /// <summary>Striped, with a parity that makes up for one lost member.</summary>
    Raid5 = 5,

    /// <summary>Striped, with two parities that make up for any two lost members.</summary>
    Raid6 = 6,

    /// <summary>Striped over pairs of members that hold the same.</summary>
    Raid10 = 10,
}
