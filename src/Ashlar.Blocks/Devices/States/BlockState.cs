namespace Ashlar.Blocks;

/// <summary>What a device knows about a block, apart from its content.</summary>
public enum BlockState
{
    /// <summary>Never written: reads as zeros.</summary>
    Free = 0,

    /// <summary>Holds what was last written.</summary>
    Used = 1,

    /// <summary>No longer needed: reads as zeros, although the old content may still lie beneath.</summary>
    Trimmed = 2,

    /// <summary>Fails every request until it is replaced.</summary>
    Bad = 3,
}

/// <summary>How many blocks of a device are in each state.</summary>
public readonly record struct BlockStateCounts(long Free, long Used, long Trimmed, long Bad);
