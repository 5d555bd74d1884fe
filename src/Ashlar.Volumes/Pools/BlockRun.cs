namespace Ashlar.Volumes;

/// <summary>Blocks of 4,096 bytes of a volume that lie one after the other on the pool's device.</summary>
/// <param name="FirstBlock">The first of them, counted from the beginning of the volume.</param>
/// <param name="BlockCount">How many.</param>
/// <param name="PlaceBytes">Where the first lies on the device.</param>
/// <param name="HoldsData">Whether they hold data; otherwise the place is kept for them, and they read as zeros.</param>
public readonly record struct BlockRun(long FirstBlock, long BlockCount, long PlaceBytes, bool HoldsData)
{
    /// <summary>Whether snapshots, or the volume that this one is a clone of, have these blocks as well.</summary>
    public bool IsShared { get; init; }
}
