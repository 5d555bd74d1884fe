namespace Ashlar.Blocks.Raid;

/// <summary>What a member's chunk of a stripe holds.</summary>
enum ChunkKind
{
    /// <summary>Data of the device.</summary>
    Data = 0,

    /// <summary>The sum of the data.</summary>
    P,

    /// <summary>The sum of the data times powers of the generator.</summary>
    Q,
}

/// <summary>What a member's chunk of a stripe holds, and which of the data.</summary>
/// <param name="Kind">Data, P or Q.</param>
/// <param name="Index">Of data: its place in the stripe, which is also its power in Q; else 0.</param>
readonly record struct ChunkRole(ChunkKind Kind, int Index = 0);
